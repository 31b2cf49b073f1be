# kube-proxy, by nftables. With our own bridge it knows pods of this node by where their packets come in.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) types mkOption;
  kubernetes = config.firn.kubernetes;
  inherit (config.firn) network;
  cfg = kubernetes.kubeProxy;
  component = import ./component.nix { inherit config lib pkgs; };
  kubeconfig = "/etc/kubernetes/kube-proxy.kubeconfig";
  detection =
    if kubernetes.bridged then
      {
        detectLocalMode = "BridgeInterface";
        detectLocal.bridgeInterface = "brkube";
      }
    else
      {
        detectLocalMode = "ClusterCIDR";
        clusterCIDR = lib.concatStringsSep "," network.podNetworks;
      };
  ownedSettings = detection // {
    apiVersion = "kubeproxy.config.k8s.io/v1alpha1";
    kind = "KubeProxyConfiguration";
    clientConnection = { inherit kubeconfig; };
    hostnameOverride = kubernetes.nodeName;
    mode = "nftables";
    nodePortAddresses = if cfg.nodePortAddresses == [ ] then [ "primary" ] else cfg.nodePortAddresses;
  };
  ownedFields = [
    [ "clientConnection" "kubeconfig" ]
  ]
  ++ map lib.singleton [
    "apiVersion"
    "clusterCIDR"
    "detectLocal"
    "detectLocalMode"
    "hostnameOverride"
    "kind"
    "mode"
    "nodePortAddresses"
  ];
  defaultSettings = {
    # Of this host's own concern: numbers of its processes and connections.
    metricsBindAddress = "127.0.0.1:10249";
  };
  owned.config = "/etc/kubernetes/kube-proxy.json";
in
{
  options.firn.kubernetes.kubeProxy = {
    settings = mkOption {
      inherit (pkgs.formats.json { }) type;
      default = { };
      example = { conntrack.tcpEstablishedTimeout = "1h0m0s"; };
      description = "Fields of kubeproxy.config.k8s.io/v1alpha1 KubeProxyConfiguration.";
    };
    nodePortAddresses = mkOption {
      type = types.listOf (types.strMatching "[0-9a-fA-F:.]+/[0-9]{1,3}");
      default = [ ];
      description = "Networks of this host at whose addresses node ports answer; empty: at the Node's addresses.";
    };
    openNodePorts = mkOption {
      type = types.bool;
      default = false;
      description = ''
        Whether everyone may use node ports at those addresses. Without it pods and other nodes do, and nobody else.
      '';
    };
    extraArgs = component.extraArgs "kube-proxy";
  };

  config = lib.mkIf kubernetes.runsPods {
    environment.etc."kubernetes/kube-proxy.kubeconfig".text = component.kubeconfig {
      client = "kube-proxy";
      server = component.balancedServer;
    };
    environment.etc."kubernetes/kube-proxy.json".text = builtins.toJSON (
      lib.recursiveUpdate (lib.recursiveUpdate defaultSettings cfg.settings) ownedSettings
    );
    # The kernel translated the packet before it was filtered: where it was sent at first is what counts.
    networking.firewall.extraForwardRules = lib.mkIf cfg.openNodePorts ''
      meta l4proto { tcp, udp, sctp } ct status dnat ct original proto-dst 30000-32767 accept
    '';
    systemd.services.kube-proxy = component.service {
      description = "Kubernetes' services on this node";
      documentation = [ "https://kubernetes.io/docs/reference/command-line-tools-reference/kube-proxy" ];
      after = [
        "firn-api-balancer.service"
        "nftables.service"
      ];
      path = with pkgs; [
        kmod
        nftables
      ];
      restartTriggers = map (name: config.environment.etc."kubernetes/${name}".source) [
        "kube-proxy.json"
        "kube-proxy.kubeconfig"
      ];
      serviceConfig = component.confined // {
        ExecStart = component.commandLine "${kubernetes.packages.kubeProxy}/bin/kube-proxy" (
          component.withExtra {
            inherit owned;
            extra = cfg.extraArgs;
            defaults = { };
          }
        );
        # It writes rules and parameters of the network.
        CapabilityBoundingSet = "CAP_NET_ADMIN";
        ProtectKernelTunables = false;
        OOMScoreAdjust = -900;
      };
    };
    assertions = [
      (component.refusal "firn.kubernetes.kubeProxy.extraArgs" (builtins.attrNames owned ++ [ "kubeconfig" "master" ])
        cfg.extraArgs
      )
      (component.refusalOfFields "firn.kubernetes.kubeProxy.settings" ownedFields cfg.settings)
    ];
  };
}
