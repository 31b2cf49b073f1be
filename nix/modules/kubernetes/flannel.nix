# Flannel carries pods' packets between nodes, in VXLAN, where there is neither a mesh nor a link that the nodes share. Pods
# are plugged into our own bridge as ever; of Flannel there is flanneld alone, which gives this node the way to the subnets
# of the others, as their Nodes say them.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) types mkOption;
  inherit (config.firn) network;
  kubernetes = config.firn.kubernetes;
  cfg = kubernetes.flannel;
  component = import ./component.nix { inherit config lib pkgs; };
  isV6 = lib.hasInfix ":";
  of = six: lib.findFirst (pods: isV6 pods == six) null network.podNetworks;
  ownAddresses = map (address: builtins.head (lib.splitString "/" address)) network.nodeAddresses;
  # The addresses by which the firewall of other nodes knows this one, and not whichever the default route would choose.
  addressOf = six: lib.findFirst (address: isV6 address == six) null kubernetes.nodeAddresses;
  outer = {
    iface = if settings.EnableIPv4 then addressOf false else addressOf true;
    public-ip = if settings.EnableIPv4 then addressOf false else null;
    public-ipv6 = if settings.EnableIPv6 then addressOf true else null;
  };
  kubeconfig = "/etc/kubernetes/flannel.kubeconfig";
  settings = {
    EnableIPv4 = of false != null;
    EnableIPv6 = of true != null;
    # What it would write, firn.firewall and kube-proxy have written.
    EnableNFTables = true;
    Backend = {
      Type = "vxlan";
      VNI = 1;
      Port = cfg.port;
    };
  }
  // lib.optionalAttrs (of false != null) { Network = of false; }
  // lib.optionalAttrs (of true != null) { IPv6Network = of true; };
in
{
  options.firn.kubernetes.flannel = {
    package = lib.mkPackageOption pkgs "flannel" { };
    port = mkOption {
      type = types.port;
      default = 8472;
      description = "The UDP port on which nodes send each other pods' packets; the same on all of them.";
    };
    extraArgs = component.extraArgs "flanneld";
  };

  config = lib.mkIf (kubernetes.runsPods && kubernetes.cni == "Flannel") {
    firn.network.tunnels = lib.optional settings.EnableIPv4 "flannel.1" ++ lib.optional settings.EnableIPv6 "flannel-v6.1";
    firn.firewall.fromNodes.udp = [ cfg.port ];
    environment.etc."kubernetes/flannel.kubeconfig".text = component.kubeconfig {
      client = "flannel";
      server = component.balancedServer;
    };
    environment.etc."kubernetes/flannel.json".text = builtins.toJSON settings;
    systemd.services.flannel = component.service {
      description = "Pods' packets between nodes";
      documentation = [ "https://github.com/flannel-io/flannel/blob/master/Documentation/configuration.md" ];
      after = [ "firn-api-balancer.service" ];
      path = with pkgs; [
        iproute2
        # It ends where it cannot look for rules that it never made.
        iptables
        nftables
      ];
      environment = {
        NODE_NAME = kubernetes.nodeName;
        FIRN_KUBECTL = "${kubernetes.packages.kubelet}/bin/kubectl";
      };
      restartTriggers = map (name: config.environment.etc."kubernetes/${name}".source) [
        "flannel.json"
        "flannel.kubeconfig"
      ];
      serviceConfig = component.confined // {
        # It ends where the Node has no subnet yet.
        ExecStart = component.awaiting "subnet:${kubeconfig}" (
          component.commandLine "${cfg.package}/bin/flannel" (
            component.withExtra {
              extra = cfg.extraArgs;
              defaults = { };
              owned = outer // {
                kube-subnet-mgr = true;
                kubeconfig-file = kubeconfig;
                net-config-path = "/etc/kubernetes/flannel.json";
                ip-masq = false;
                iptables-forward-rules = false;
              };
            }
          )
        );
        # It makes devices, neighbours and routes.
        CapabilityBoundingSet = "CAP_NET_ADMIN CAP_NET_RAW";
        ProtectKernelTunables = false;
        RuntimeDirectory = "flannel";
        OOMScoreAdjust = -900;
      };
    };
    assertions = [
      (component.refusal "firn.kubernetes.flannel.extraArgs" [
        "iface"
        "ip-masq"
        "iptables-forward-rules"
        "kube-subnet-mgr"
        "kubeconfig-file"
        "net-config-path"
        "public-ip"
        "public-ipv6"
      ] cfg.extraArgs)
      {
        assertion = network.routing == "External";
        message = "firn.kubernetes.cni is \"Flannel\", which makes the routes between nodes, but firn.network.routing is \"${network.routing}\". Set it to \"External\".";
      }
      {
        assertion = lib.all (pods: addressOf (isV6 pods) != null) network.podNetworks;
        message = "firn.kubernetes.nodeAddresses needs an address of each family of firn.network.podNetworks: Flannel carries each family by itself.";
      }
      {
        assertion = lib.intersectLists kubernetes.nodeAddresses ownAddresses == [ ];
        message = "firn.kubernetes.nodeAddresses has addresses of pods' networks, which other nodes reach once Flannel runs, and Flannel needs the API first. Set it to addresses that they reach without it.";
      }
    ];
  };
}
