# kube-apiserver. Clients are known by certificates, nobody by a token in a file.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) types mkOption;
  kubernetes = config.firn.kubernetes;
  cfg = kubernetes.apiServer;
  component = import ./component.nix { inherit config lib pkgs; };
  etc = name: "/etc/kubernetes/${name}";
  pki = name: "${kubernetes.pki}/${name}";

  awaited = if kubernetes.datastore == "SQLite" then "socket:/run/kine/kine.sock" else "etcd";
  # The local member alone, so that one that joins restarts nobody.
  datastore =
    if kubernetes.datastore == "SQLite" then
      { etcd-servers = "unix:///run/kine/kine.sock"; }
    else if kubernetes.etcd.transport == "Socket" then
      { etcd-servers = "unix:///run/etcd/client:0"; }
    else
      {
        etcd-servers = "https://127.0.0.1:2379";
        etcd-cafile = pki "etcd/ca.crt";
        etcd-certfile = pki "apiserver-etcd-client.crt";
        etcd-keyfile = pki "apiserver-etcd-client.key";
      };
  owned = datastore // {
    etcd-compaction-interval = kubernetes.compactionInterval;
    advertise-address = builtins.head kubernetes.primaryAddresses;
    bind-address = if config.networking.enableIPv6 then "::" else "0.0.0.0";
    secure-port = cfg.port;
    tls-cert-file = pki "apiserver.crt";
    tls-private-key-file = pki "apiserver.key";
    client-ca-file = pki "ca.crt";
    authentication-config = etc "authentication.json";
    authorization-mode = "Node,RBAC";
    audit-policy-file = etc "audit-policy.json";
    service-cluster-ip-range = lib.concatStringsSep "," kubernetes.serviceNetworks;
    service-account-issuer = [ cfg.issuer ] ++ cfg.formerIssuers;
    service-account-key-file = pki "sa.pub";
    service-account-signing-key-file = pki "sa.key";
    kubelet-certificate-authority = pki "ca.crt";
    kubelet-client-certificate = pki "apiserver-kubelet-client.crt";
    kubelet-client-key = pki "apiserver-kubelet-client.key";
    # Names of nodes are the cluster's, which this host's resolver need not know yet.
    kubelet-preferred-address-types = "InternalIP";
    # One signer for the proxy alone: whoever has a certificate of the cluster's cannot say to be somebody else.
    requestheader-client-ca-file = pki "front-proxy-ca.crt";
    requestheader-allowed-names = "front-proxy-client";
    requestheader-username-headers = "X-Remote-User";
    requestheader-group-headers = "X-Remote-Group";
    requestheader-extra-headers-prefix = "X-Remote-Extra-";
    proxy-client-cert-file = pki "front-proxy-client.crt";
    proxy-client-key-file = pki "front-proxy-client.key";
    encryption-provider-config = if cfg.encryptSecrets then pki "encryption-config.yaml" else null;
  };
  # What would undo one of those, by other names.
  alsoOwned = [
    "anonymous-auth"
    "api-audiences"
    "audit-webhook-config-file"
    "authorization-config"
    "authorization-webhook-config-file"
    "enable-bootstrap-token-auth"
    "etcd-cafile"
    "etcd-certfile"
    "etcd-keyfile"
    "insecure-port"
    "oidc-issuer-url"
    "token-auth-file"
  ];
  refused = lib.unique (builtins.attrNames owned ++ alsoOwned);
  flags = component.withExtra {
    inherit owned;
    extra = cfg.extraArgs;
    defaults = {
      # Network plugins and storage drivers are privileged pods; who may make one is for Pod Security Admission to say.
      allow-privileged = true;
      enable-admission-plugins = "NodeRestriction";
      profiling = false;
      tls-min-version = "VersionTLS12";
      audit-log-path = "/var/log/kubernetes/audit.log";
      audit-log-maxage = 30;
      audit-log-maxbackup = 10;
      audit-log-maxsize = 100;
      # Without it a server that ends waits a minute for watches, which do not end by themselves, and answers nobody meanwhile.
      # With it: as soon as no other request is under way. Who asks until then is told to come back.
      shutdown-send-retry-after = true;
      # One request in a thousand ends its connection: after a restart they spread over all servers again.
      goaway-chance = if kubernetes.etcd.transport == "TLS" then "0.001" else null;
    };
  };
in
{
  options.firn.kubernetes.apiServer = {
    port = mkOption {
      type = types.port;
      default = 6443;
      description = "The port of this host's API server.";
    };
    issuer = mkOption {
      type = types.singleLineStr;
      default = "https://kubernetes.default.svc.${kubernetes.domain}";
      defaultText = lib.literalExpression ''"https://kubernetes.default.svc.''${config.firn.kubernetes.domain}"'';
      description = "Issuer of service accounts' tokens, and their audience.";
    };
    formerIssuers = mkOption {
      type = types.listOf types.singleLineStr;
      default = [ ];
      description = "Issuers whose tokens are still good: those that pods were given before the issuer changed.";
    };
    encryptSecrets = mkOption {
      type = types.bool;
      default = true;
      description = "Whether Secrets are encrypted in the datastore, by the `encryption-config.yaml` among the keys.";
    };
    extraArgs = component.extraArgs "kube-apiserver";
  };

  config = lib.mkIf kubernetes.isControlPlane {
    systemd.services.kube-apiserver = component.service {
      description = "Kubernetes' API server";
      documentation = [ "https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver" ];
      after = [
        "etcd.service"
        "kine.service"
      ];
      restartTriggers = [
        config.environment.etc."kubernetes/authentication.json".source
        config.environment.etc."kubernetes/audit-policy.json".source
      ];
      serviceConfig = component.confined // {
        ExecStart = component.awaiting awaited (component.commandLine "${kubernetes.packages.apiServer}/bin/kube-apiserver" flags);
        User = "kubernetes";
        Group = "kubernetes";
        SupplementaryGroups = if kubernetes.datastore == "SQLite" then "kine" else "etcd";
        LogsDirectory = "kubernetes";
        LogsDirectoryMode = "0700";
        LimitNOFILE = 1048576;
        OOMScoreAdjust = -900;
        # It lets requests end that are under way, a minute at most (--request-timeout).
        TimeoutStopSec = "75s";
      };
    };
    firn.kubernetes.refused."apiServer.extraArgs" = refused;
    assertions = [
      (component.refusal "firn.kubernetes.apiServer.extraArgs" refused cfg.extraArgs)
      {
        assertion = kubernetes.serviceNetworks != [ ];
        message = "firn.kubernetes.serviceNetworks is empty: services need addresses.";
      }
    ];
  };
}
