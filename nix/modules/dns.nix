# Names of nodes: CoreDNS answers for the cluster's domain on the node's own addresses, from a hosts file, and the host's
# resolver asks it for that domain alone.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) types mkOption;
  inherit (config.firn) network;
  cfg = config.firn.dns;
  delegate = "systemd/dns-delegate.d/firn.dns-delegate";
  # CoreDNS asks its plugins in an order of its own: hosts, kubernetes, forward.
  corefile = pkgs.writeText "Corefile" ''
    ${if cfg.forwardTo == [ ] then cfg.domain else "."}:53 {
        bind ${toString cfg.addresses}
        errors
        # A name that joins is there within a second; nothing is to be reloaded for it.
        hosts ${cfg.hostsFile} ${cfg.domain} {
            ttl 15
            reload 1s
            ${lib.optionalString (cfg.plugins != "") "fallthrough"}
        }
        ${cfg.plugins}
        ${lib.optionalString (cfg.forwardTo != [ ]) "forward . ${toString cfg.forwardTo}"}
    }
  '';
  # CoreDNS ends when an address is not there that it is to listen on; the bridge's and the mesh's come after the boot began.
  awaitAddresses = pkgs.writeShellScript "await-addresses" ''
    for _ in $(seq 100); do
      missing=
      for address; do
        ip -o addr show to "$address" | grep -q . || missing=$address
      done
      [ -n "$missing" ] || exit 0
      sleep 0.2
    done
    echo "this host does not have the address $missing" >&2
    exit 1
  '';
in
{
  options.firn.dns = {
    enable = lib.mkEnableOption "names of nodes in the cluster's domain";
    domain = mkOption {
      type = types.strMatching "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?([.][a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+";
      example = "k8s.internal";
      description = "The domain. Its names are answered here and nowhere else.";
    };
    addresses = mkOption {
      type = types.listOf (types.strMatching "[0-9a-fA-F:.]+");
      default = map (address: builtins.head (lib.splitString "/" address)) network.nodeAddresses;
      defaultText = lib.literalExpression "the addresses of config.firn.network.nodeAddresses";
      description = "Addresses of this host to answer on.";
    };
    hostsFile = mkOption {
      type = types.path;
      default = "/run/firn/current/data/hosts";
      apply = toString;
      description = "hosts(5) with the nodes' names in the domain. A change of it is noticed.";
    };
    plugins = mkOption {
      type = types.lines;
      default = "";
      description = "Further plugins of CoreDNS. They are asked for what the file does not have.";
    };
    forwardTo = mkOption {
      type = types.listOf (types.strMatching "[0-9a-fA-F:.]+");
      default = [ ];
      description = "Who is asked about names outside of the domain. Without any such questions are refused.";
    };
    user = mkOption {
      type = types.nullOr types.str;
      default = null;
      description = "As whom CoreDNS runs, where it has files that nobody else reads; null: a user of the moment.";
    };
  };

  config = lib.mkIf cfg.enable {
    services.resolved.enable = true;
    # systemd.dns-delegate(5). The domain is searched for names without a dot, too.
    environment.etc.${delegate}.text = ''
      [Delegate]
      ${lib.concatMapStrings (address: "DNS=${address}\n") cfg.addresses}Domains=${cfg.domain}
    '';
    systemd.services.systemd-resolved.restartTriggers = [ config.environment.etc.${delegate}.source ];
    firn.firewall = lib.genAttrs [ "fromNodes" "fromPods" ] (_: {
      tcp = [ 53 ];
      udp = [ 53 ];
    });

    systemd.services.firn-dns = {
      description = "Names of nodes";
      wantedBy = [ "multi-user.target" ];
      after = [
        "firn-mesh.service"
        "firn-secrets.service"
        "network.target"
        "systemd-networkd.service"
      ];
      path = [ pkgs.iproute2 ];
      serviceConfig = {
        ExecStartPre = "${awaitAddresses} ${lib.escapeShellArgs cfg.addresses}";
        ExecStart = "${pkgs.coredns}/bin/coredns -conf ${corefile}";
        Restart = "on-failure";
        RestartSec = 2;
        DynamicUser = cfg.user == null;
        User = lib.mkIf (cfg.user != null) cfg.user;
        AmbientCapabilities = "CAP_NET_BIND_SERVICE";
        CapabilityBoundingSet = "CAP_NET_BIND_SERVICE";
        NoNewPrivileges = true;
        ProtectHome = true;
        ProtectSystem = "strict";
        PrivateDevices = true;
        RestrictAddressFamilies = [
          "AF_INET"
          "AF_INET6"
          "AF_NETLINK"
        ];
        MemoryMax = "256M";
      };
    };

    assertions = [
      {
        assertion = cfg.addresses != [ ];
        message = "firn.dns.addresses is empty. Set it, or firn.network.nodeAddresses.";
      }
    ];
  };
}
