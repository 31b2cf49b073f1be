# How a pod is plugged into the bridge `brkube`, and which address it gets: the plugins bridge and host-local (cni.dev).
# networkd has the bridge and the node's addresses on it; the plugins add no address, route or rule of the host's.
{ config, lib, ... }:
let
  inherit (lib) types mkOption;
  kubernetes = config.firn.kubernetes;
  inherit (config.firn) network;
  isV6 = lib.hasInfix ":";
  gatewayOf =
    subnet:
    builtins.head (
      lib.splitString "/" (lib.findFirst (address: isV6 address == isV6 subnet) "/" network.nodeAddresses)
    );
  conflist = {
    cniVersion = "1.0.0";
    name = "firn";
    plugins = [
      {
        type = "bridge";
        bridge = "brkube";
        # A pod reaches itself through a service.
        hairpinMode = true;
        isGateway = false;
        ipMasq = false;
        ipam = {
          type = "host-local";
          ranges = map (subnet: [
            {
              inherit subnet;
              gateway = gatewayOf subnet;
            }
          ]) kubernetes.podSubnets;
          routes = map (subnet: {
            dst = if isV6 subnet then "::/0" else "0.0.0.0/0";
            gw = gatewayOf subnet;
          }) kubernetes.podSubnets;
        };
      }
      {
        type = "portmap";
        capabilities.portMappings = true;
        backend = "nftables";
      }
    ];
  };
in
{
  options.firn.kubernetes.podSubnets = mkOption {
    type = types.listOf (types.strMatching "[0-9a-fA-F:.]+/[0-9]{1,3}");
    default = [ ];
    example = [ "fd88:1::/32" "10.88.1.0/24" ];
    description = ''
      This node's own subnets, from which its pods get addresses, in the order of `firn.network.nodeAddresses`. For pods
      that are plugged into the bridge.
    '';
  };

  config = lib.mkIf (kubernetes.runsPods && kubernetes.bridged) {
    environment.etc."cni/net.d/10-firn.conflist".text = builtins.toJSON conflist;
    assertions = [
      {
        assertion = map isV6 kubernetes.podSubnets == map isV6 network.nodeAddresses;
        message = "firn.kubernetes.podSubnets must have one subnet for each of firn.network.nodeAddresses, in the same order.";
      }
    ];
  };
}
