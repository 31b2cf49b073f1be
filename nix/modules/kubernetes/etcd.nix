# etcd. Alone it answers on unix sockets, which only its own group may use; with other members over TLS, where both ends
# show certificates. Who the members are is no part of the system: a member reads it once, when it has no data yet.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) types mkOption;
  kubernetes = config.firn.kubernetes;
  cfg = kubernetes.etcd;
  component = import ./component.nix { inherit config lib pkgs; };
  enable = kubernetes.isControlPlane && kubernetes.datastore == "Etcd";
  alone = cfg.transport == "Socket";
  script = pkgs.writeShellScript "firn-etcd" (builtins.readFile ./etcd-identity.sh + builtins.readFile ./etcd.sh);

  # etcd wants a port in every URL. These are names of files in its working directory: unix(7) allows 107 bytes.
  sockets = {
    listen-client-urls = "unix://client:0";
    advertise-client-urls = "unix://client:0";
    listen-peer-urls = "unix://peer:0";
    initial-advertise-peer-urls = "unix://peer:0";
  };
  host = builtins.head kubernetes.primaryAddresses;
  bracketed = if lib.hasInfix ":" host then "[${host}]" else host;
  client = "https://${bracketed}:2379";
  peer = "https://${bracketed}:2380";
  tls = {
    # Whoever asks on this host, as its API server does, needs no other host.
    listen-client-urls = "https://127.0.0.1:2379,${client}";
    advertise-client-urls = client;
    listen-peer-urls = peer;
    initial-advertise-peer-urls = peer;
    cert-file = "${kubernetes.pki}/etcd/server.crt";
    key-file = "${kubernetes.pki}/etcd/server.key";
    trusted-ca-file = "${kubernetes.pki}/etcd/ca.crt";
    client-cert-auth = true;
    peer-cert-file = "${kubernetes.pki}/etcd/peer.crt";
    peer-key-file = "${kubernetes.pki}/etcd/peer.key";
    peer-trusted-ca-file = "${kubernetes.pki}/etcd/ca.crt";
    peer-client-cert-auth = true;
    tls-min-version = "TLS1.2";
    # A member that was away for long neither calls an election nor brings the others to a stand.
    pre-vote = true;
  };
  owned = {
    inherit (cfg) name;
    data-dir = "/var/lib/etcd";
    listen-metrics-urls = "http://127.0.0.1:2381";
  }
  // (if alone then sockets else tls);
  # Said by the script, or undoing what is said above.
  alsoOwned = [
    "auto-tls"
    "config-file"
    "discovery"
    "discovery-srv"
    "force-new-cluster"
    "initial-cluster"
    "initial-cluster-state"
    "initial-cluster-token"
    "peer-auto-tls"
  ];
  flags = component.withExtra {
    inherit owned;
    extra = cfg.extraArgs;
    defaults = {
      auto-compaction-mode = "periodic";
      auto-compaction-retention = "8h";
      # 8 GiB, the most that upstream advises.
      quota-backend-bytes = "8589934592";
      log-level = "warn";
    };
  };
in
{
  options.firn.kubernetes.etcd = {
    package = lib.mkPackageOption pkgs "etcd" { };
    name = mkOption {
      type = types.strMatching "[A-Za-z0-9][A-Za-z0-9.-]{0,99}";
      default = kubernetes.nodeName;
      defaultText = lib.literalExpression "config.firn.kubernetes.nodeName";
      description = "Name of this member, unlike that of any other.";
    };
    transport = mkOption {
      type = types.enum [
        "Socket"
        "TLS"
      ];
      default = "Socket";
      description = "`Socket`: the only member, which no network reaches. `TLS`: one of several.";
    };
    clusterFile = mkOption {
      type = types.nullOr types.path;
      default = if alone then null else "/run/firn/current/data/etcd-cluster";
      defaultText = lib.literalMD "with TLS `/run/firn/current/data/etcd-cluster`";
      apply = path: if path == null then "" else toString path;
      description = ''
        The cluster that a member without data becomes part of: a line `state new` or `state existing`, and a line
        `member NAME URL` for each member, this one included. The unit waits for it. With a line `start WORD`, data are made
        once only by that word, however they are lost later. A line `replaces ID` puts data of the member of that ID aside.
        Null: the only member, which begins a cluster of its own whenever it has no data.
      '';
    };
    extraArgs = component.extraArgs "etcd";
  };

  config = lib.mkIf enable {
    environment.systemPackages = [ cfg.package ];
    systemd.services.etcd = component.service {
      description = "etcd";
      documentation = [ "https://etcd.io/docs" ];
      after = [ "local-fs.target" ];
      path = [
        pkgs.coreutils
        pkgs.gawk
      ];
      environment = {
        FIRN_ETCD_CLUSTER = cfg.clusterFile;
        FIRN_ETCD_DATA = "/var/lib/etcd";
        FIRN_ETCD_MEMORY = "/var/lib/firn-etcd";
        FIRN_ETCD_NAME = cfg.name;
        FIRN_ETCD_TRANSPORT = cfg.transport;
      };
      serviceConfig = component.confined // {
        ExecStart = component.commandLine "${script} ${cfg.package}/bin/etcd" flags;
        User = "etcd";
        Group = "etcd";
        # The sockets are for the group.
        UMask = "0007";
        # The second is what outlives the data, when those are on a disk of their own.
        StateDirectory = [
          "etcd"
          "firn-etcd"
        ];
        StateDirectoryMode = "0700";
        RuntimeDirectory = "etcd";
        RuntimeDirectoryMode = "0750";
        WorkingDirectory = "/run/etcd";
        LimitNOFILE = 65536;
        # Whoever waits for the disk longest loses an election.
        IOSchedulingClass = "best-effort";
        IOSchedulingPriority = 0;
        OOMScoreAdjust = -900;
      };
    };

    assertions = [
      {
        assertion = alone || cfg.clusterFile != "";
        message = "firn.kubernetes.etcd.clusterFile is null, and with TLS a member has to be told which cluster it is part of.";
      }
      (component.refusal "firn.kubernetes.etcd.extraArgs" (builtins.attrNames owned ++ alsoOwned) cfg.extraArgs)
    ];
  };
}
