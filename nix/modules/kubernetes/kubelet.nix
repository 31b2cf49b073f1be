# kubelet. It is root, and sees the host as it is: it mounts volumes into pods and starts what is not in its own cgroup.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption;
  kubernetes = config.firn.kubernetes;
  cfg = kubernetes.kubelet;
  component = import ./component.nix { inherit config lib pkgs; };
  kubeconfig = "/etc/kubernetes/kubelet.kubeconfig";
  runtimes = {
    CRIO = {
      unit = "crio.service";
      socket = "unix:///run/crio/crio.sock";
    };
    Containerd = {
      unit = "containerd.service";
      socket = "unix:///run/containerd/containerd.sock";
    };
  };
  runtime = runtimes.${kubernetes.runtime};
  isPrimary = address: lib.hasInfix ":" address == lib.hasInfix ":" (builtins.head kubernetes.primaryAddresses);
  dns = lib.partition isPrimary config.firn.dns.addresses;

  ownedSettings = {
    apiVersion = "kubelet.config.k8s.io/v1beta1";
    kind = "KubeletConfiguration";
    # Whoever asks it has a certificate or a token, and the API server says what they may.
    authentication = {
      anonymous.enabled = false;
      webhook.enabled = true;
      x509.clientCAFile = "${kubernetes.pki}/ca.crt";
    };
    authorization.mode = "Webhook";
    clusterDNS = dns.right ++ dns.wrong;
    clusterDomain = kubernetes.domain;
    containerRuntimeEndpoint = runtime.socket;
    # No port without authentication.
    readOnlyPort = 0;
    tlsCertFile = "${kubernetes.pki}/kubelet.crt";
    tlsPrivateKeyFile = "${kubernetes.pki}/kubelet.key";
    # Certificates are delivered, not asked for.
    rotateCertificates = false;
    serverTLSBootstrap = false;
    registerWithTaints = cfg.taints;
  };
  defaultSettings = {
    address = if config.networking.enableIPv6 then "::" else "0.0.0.0";
    cgroupDriver = "systemd";
    eventRecordQPS = 50;
    evictionHard = {
      "memory.available" = "100Mi";
      "nodefs.available" = "10%";
      "nodefs.inodesFree" = "5%";
      "imagefs.available" = "15%";
      "imagefs.inodesFree" = "5%";
    };
    imageGCHighThresholdPercent = 85;
    imageGCLowThresholdPercent = 80;
    # kube-proxy's rules are nftables'; iptables need not even be there.
    makeIPTablesUtilChains = false;
    protectKernelDefaults = true;
    resolvConf = "/run/systemd/resolve/resolv.conf";
    shutdownGracePeriod = "30s";
    shutdownGracePeriodCriticalPods = "10s";
    systemReserved = {
      cpu = "100m";
      memory = "256Mi";
    };
    tlsMinVersion = "VersionTLS12";
  };
  settings = lib.recursiveUpdate (lib.recursiveUpdate defaultSettings cfg.settings) ownedSettings;
  ownedFields = [
    [ "apiVersion" ]
    [ "kind" ]
    [ "authentication" ]
    [ "authorization" ]
  ]
  ++ map lib.singleton [
    "clusterDNS"
    "clusterDomain"
    "containerRuntimeEndpoint"
    "readOnlyPort"
    "registerWithTaints"
    "rotateCertificates"
    "serverTLSBootstrap"
    "tlsCertFile"
    "tlsPrivateKeyFile"
  ];
  # Without an API it starts no pods but those in a folder of this host, and asks for what it needs to be ready at longer and
  # longer intervals: its Node would be ready a quarter of a minute after the API is, or the kubelet would give up.
  start = if settings ? staticPodPath then lib.id else component.awaiting "api:${kubeconfig}";
  owned = {
    config = "/etc/kubernetes/kubelet.json";
    inherit kubeconfig;
    hostname-override = kubernetes.nodeName;
    node-ip = lib.concatStringsSep "," kubernetes.primaryAddresses;
    node-labels =
      if cfg.labels == { } then
        null
      else
        lib.concatStringsSep "," (lib.mapAttrsToList (name: value: "${name}=${value}") cfg.labels);
  };
in
{
  options.firn.kubernetes.kubelet = {
    settings = mkOption {
      inherit (pkgs.formats.json { }) type;
      default = { };
      example = {
        failSwapOn = false;
        memorySwap.swapBehavior = "LimitedSwap";
      };
      description = "Fields of kubelet.config.k8s.io/v1beta1 KubeletConfiguration.";
    };
    extraArgs = component.extraArgs "kubelet";
  };

  config = lib.mkIf kubernetes.runsPods {
    environment.etc."kubernetes/kubelet.kubeconfig".text = component.kubeconfig {
      client = "kubelet-client";
      server = component.balancedServer;
    };
    environment.etc."kubernetes/kubelet.json".text = builtins.toJSON settings;
    # So long a shutdown waits for the kubelet to end pods; it would write such a file itself.
    environment.etc."systemd/logind.conf.d/10-firn-kubelet.conf".text = ''
      [Login]
      InhibitDelayMaxSec=${settings.shutdownGracePeriod}
    '';
    systemd.services.kubelet = component.service {
      description = "Kubernetes' agent on this node";
      documentation = [ "https://kubernetes.io/docs/reference/command-line-tools-reference/kubelet" ];
      after = [
        runtime.unit
        "firn-api-balancer.service"
      ];
      wants = [ runtime.unit ];
      environment.FIRN_KUBECTL = "${kubernetes.packages.kubelet}/bin/kubectl";
      # Pods go on without it.
      path = with pkgs; [
        iproute2
        kmod
        nftables
        util-linux
      ];
      restartTriggers = map (name: config.environment.etc."kubernetes/${name}".source) [
        "kubelet.json"
        "kubelet.kubeconfig"
      ];
      serviceConfig = {
        ExecStart = start (
          component.commandLine "${kubernetes.packages.kubelet}/bin/kubelet" (
            component.withExtra {
              inherit owned;
              extra = cfg.extraArgs;
              defaults = { };
            }
          )
        );
        # Mounts of its own must be the host's, and volumes are given to groups with the set-group-ID bit: what would give it
        # another view of the file system, or forbid that bit, breaks pods.
        LockPersonality = true;
        SystemCallArchitectures = "native";
        StateDirectory = "kubelet";
        StateDirectoryMode = "0700";
        KillMode = "process";
        # What it writes for containers, such as their /etc/hosts, is read by their users.
        UMask = "0022";
        OOMScoreAdjust = -999;
      };
    };
    firn.kubernetes.refused."kubelet.settings" = map (lib.concatStringsSep ".") ownedFields;
    assertions = [
      (component.refusal "firn.kubernetes.kubelet.extraArgs" (builtins.attrNames owned ++ [ "bootstrap-kubeconfig" "config-dir" ])
        cfg.extraArgs
      )
      (component.refusalOfFields "firn.kubernetes.kubelet.settings" ownedFields cfg.settings)
    ];
  };
}
