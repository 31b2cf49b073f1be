# What pods' networks stand on: the node's own addresses in them, the bridge that pods are plugged into, forwarding.
{ config, lib, ... }:
let
  inherit (lib) types mkOption;
  cfg = config.firn.network;
  isV6 = lib.hasInfix ":";
  cidr = types.strMatching "[0-9a-fA-F:.]+/[0-9]{1,3}";
  cidrs =
    description: example:
    mkOption {
      type = types.listOf cidr;
      default = [ ];
      inherit description example;
    };
  # Weaker than what anybody writes plainly, and at a priority of its own: two equal ones for a key would be refused.
  weak = lib.mkOverride 900;
  sysctl = config.boot.kernel.sysctl;
  forwards = key: builtins.elem (toString (sysctl.${key} or 0)) [ "1" "2" ];
  families = map isV6 cfg.podNetworks;
  # The kernel asks for a neighbour, on behalf of what it forwards, from a link-local address or not at all. One that is
  # made up from the hardware's would be of no use before the first pod is plugged in, and a second after.
  linkLocal = "fe80::1/64";
in
{
  options.firn.network = {
    enable = lib.mkEnableOption "the network of pods on this host: its addresses, a bridge, forwarding and a firewall";
    nodeAddresses = cidrs ''
      This node's address in each of `podNetworks`, with the length of its own subnet: the first address of the subnet.
    '' [ "fd88:1::1/32" "10.88.1.1/24" ];
    podNetworks = cidrs "Networks of all pods of all nodes, at most one a family." [ "fd88::/16" "10.88.0.0/16" ];
    serviceNetworks = cidrs "Networks of services. They may lie within `podNetworks`." [ "10.88.0.0/24" ];
    bridge = mkOption {
      type = types.bool;
      default = true;
      description = ''
        Whether there is a bridge `brkube` with the node's addresses, for pods to be plugged into. Without it another
        network plugin has its own interfaces.
      '';
    };
    masquerade = mkOption {
      type = types.bool;
      default = true;
      description = ''
        Whether pods reach what is outside of the cluster by the node's address. Addresses that are routed everywhere need
        no such thing.
      '';
    };
    allowInbound = cidrs "Networks outside of the cluster from which pods may be reached at their own addresses." [
      "192.0.2.0/24"
    ];
    routing = mkOption {
      type = types.enum [
        "Mesh"
        "Direct"
        "External"
      ];
      default = "Mesh";
      description = ''
        How pods of different nodes reach each other: through `firn.mesh`, by routes over a link that the nodes share, or
        by routes that somebody else makes.
      '';
    };
    tunnels = mkOption {
      type = types.listOf (types.strMatching "[a-z][a-z0-9._-]{0,14}");
      default = [ ];
      internal = true;
      description = "Interfaces of somebody else's through which pods of different nodes reach each other, as they do through the mesh.";
    };
  };

  config = lib.mkIf cfg.enable {
    boot.kernel.sysctl = {
      "net.ipv4.conf.all.forwarding" = weak true;
      "net.ipv4.conf.default.forwarding" = weak true;
      "net.ipv6.conf.all.forwarding" = weak true;
      "net.ipv6.conf.default.forwarding" = weak true;
    };
    # It may run beside scripts that configure the other interfaces.
    systemd.network.enable = true;
    systemd.network.wait-online.enable = lib.mkIf (!config.networking.useNetworkd) (lib.mkDefault false);
    # networkd.conf(5): what others add to interfaces that networkd manages goes when networkd starts again: routes to
    # other nodes, and those of network plugins.
    systemd.network.config.networkConfig = {
      ManageForeignRoutes = lib.mkDefault false;
      ManageForeignRoutingPolicyRules = lib.mkDefault false;
    };
    networking.dhcpcd.denyInterfaces = lib.optional cfg.bridge "brkube";
    systemd.network.netdevs."10-brkube" = lib.mkIf cfg.bridge {
      netdevConfig = {
        Kind = "bridge";
        Name = "brkube";
      };
      # Nobody else's bridge is plugged into it, and a port that learns for 15 s is a pod that starts 15 s late.
      bridgeConfig.STP = false;
    };
    systemd.network.networks."10-brkube" = lib.mkIf cfg.bridge {
      matchConfig.Name = "brkube";
      linkConfig.RequiredForOnline = false;
      networkConfig = {
        # The addresses are there before the first pod is, and after the last.
        ConfigureWithoutCarrier = true;
        LinkLocalAddressing = "no";
        IPv6AcceptRA = false;
        DHCP = "no";
      };
      # Nobody else can have them, and an address that is still being looked for cannot be listened on.
      addresses = map (address: {
        Address = address;
        DuplicateAddressDetection = "none";
      }) (cfg.nodeAddresses ++ lib.optional (builtins.elem true families) linkLocal);
    };

    assertions = [
      {
        assertion = map isV6 cfg.nodeAddresses == families && lib.unique families == families && families != [ ];
        message = "firn.network.nodeAddresses must have one address for each of firn.network.podNetworks, in the same order, and at most one a family.";
      }
      {
        assertion = lib.all forwards [
          "net.ipv4.conf.all.forwarding"
          "net.ipv6.conf.all.forwarding"
        ];
        message = "firn.network needs forwarding between interfaces, but boot.kernel.sysctl.\"net.ipv4.conf.all.forwarding\" or its twin for IPv6 is set to something else than true. Remove that definition.";
      }
      {
        assertion = cfg.routing == "Mesh" -> config.firn.mesh.enable;
        message = "firn.network.routing is \"Mesh\", but firn.mesh.enable is false. Enable it, or set the routing to \"Direct\" or \"External\".";
      }
    ];
  };
}
