# What all components need to know of the cluster and of this host's place in it.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) types mkOption;
  inherit (config.firn) network;
  cfg = config.firn.kubernetes;
  isV6 = lib.hasInfix ":";
  addresses = map (address: builtins.head (lib.splitString "/" address)) network.nodeAddresses;
  # The family of the first network of services is the cluster's primary one, and so each Node's.
  primary = cfg.serviceNetworks != [ ] && isV6 (builtins.head cfg.serviceNetworks);
  byFamily = lib.partition (address: isV6 address == primary) cfg.nodeAddresses;
  computed =
    type: value: description:
    mkOption {
      inherit type description;
      readOnly = true;
      internal = true;
      default = value;
    };
in
{
  options.firn.kubernetes = {
    enable = lib.mkEnableOption "Kubernetes' components: those of `firn.kubernetes.roles`";
    nodeName = mkOption {
      type = types.strMatching "[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?";
      default =
        if config.networking.hostName != "" then
          config.networking.hostName
        else
          throw "firn.kubernetes.nodeName is not set, and networking.hostName is empty. Set one of them.";
      defaultText = lib.literalExpression "config.networking.hostName";
      description = "Name of this host's Node. Its kubelet's certificate is for `system:node:` and this name.";
    };
    nodeAddresses = mkOption {
      type = types.listOf (types.strMatching "[0-9a-fA-F:.]+");
      default = addresses;
      defaultText = lib.literalExpression "the addresses of config.firn.network.nodeAddresses";
      description = "Addresses of this host's Node, at most one a family. The other components of the cluster reach it by them.";
    };
    domain = mkOption {
      type = types.str;
      default = config.firn.dns.domain;
      defaultText = lib.literalExpression "config.firn.dns.domain";
      description = "The cluster's domain, below which services have their names.";
    };
    serviceNetworks = mkOption {
      type = types.listOf (types.strMatching "[0-9a-fA-F:.]+/[0-9]{1,3}");
      default = network.serviceNetworks;
      defaultText = lib.literalExpression "config.firn.network.serviceNetworks";
      description = "Networks of services, at most one a family. The first one's family is the cluster's primary one.";
    };
    pki = mkOption {
      type = types.path;
      default = "/etc/kubernetes/pki";
      apply = toString;
      description = ''
        The folder with certificates and keys, by kubeadm's names. Who owns what: see "A cluster's keys and certificates".
      '';
    };
    datastore = mkOption {
      type = types.enum [
        "Etcd"
        "SQLite"
      ];
      default = "Etcd";
      description = "Where the API server keeps objects: etcd, or kine with SQLite, for one control-plane host.";
    };
    runtime = mkOption {
      type = types.enum [
        "CRIO"
        "Containerd"
      ];
      default = "CRIO";
      description = "What runs containers.";
    };
    compactionInterval = mkOption {
      type = types.strMatching "([0-9]+h)?([0-9]+m)?([0-9]+s)?";
      default = "5m";
      description = "How often the datastore forgets former states of objects: how far back a watch can begin.";
    };
    pauseImage = mkOption {
      type = types.singleLineStr;
      default = "registry.k8s.io/pause:3.10.1";
      description = "The image that holds a pod's namespaces.";
    };
    cni = mkOption {
      type = types.enum [
        "Bridge"
        "Flannel"
        "None"
      ];
      default = if network.bridge then "Bridge" else "None";
      defaultText = lib.literalExpression ''if config.firn.network.bridge then "Bridge" else "None"'';
      description = ''
        How pods get their network: plugged into the bridge `brkube`, the same with Flannel between nodes, or by a plugin
        that you bring.
      '';
    };
    refused = mkOption {
      type = types.attrsOf (types.listOf types.str);
      default = { };
      internal = true;
      description = "By option, the flags and fields that other options decide.";
    };
    bridged = computed types.bool (cfg.cni != "None") "Whether pods are plugged into `brkube`.";
    primaryAddresses = computed (types.listOf types.str) (byFamily.right ++ byFamily.wrong) "`nodeAddresses`, those of the primary family first.";
    isControlPlane = computed types.bool (cfg.enable && builtins.elem "control-plane" cfg.roles) "Whether API server and what belongs to it run here.";
    runsPods = computed types.bool (
      cfg.enable && lib.any (role: builtins.elem role cfg.roles) [ "control-plane" "worker" ]
    ) "Whether this host has a Node.";
  };

  config = lib.mkIf cfg.enable {
    assertions = [
      {
        assertion = cfg.roles != [ ];
        message = "firn.kubernetes.enable is true, but firn.kubernetes.roles is empty: nothing would run. Say what this host does.";
      }
      {
        assertion = config.firn.network.enable && config.firn.dns.enable;
        message = "firn.kubernetes needs firn.network.enable and firn.dns.enable.";
      }
      {
        assertion = byFamily.right != [ ];
        message = "firn.kubernetes.nodeAddresses has no address of the family of the first of firn.kubernetes.serviceNetworks, ${
          lib.concatStringsSep ", " (lib.take 1 cfg.serviceNetworks)
        }.";
      }
      {
        assertion = cfg.bridged -> network.bridge;
        message = "firn.kubernetes.cni is \"${cfg.cni}\", but firn.network.bridge is false: there is nothing to plug pods into.";
      }
    ];
  };
}
