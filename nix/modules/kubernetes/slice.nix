# All of Kubernetes' own units in one slice: what they may take beside pods and the rest of the host is said once.
{ config, lib, ... }:
let
  cfg = config.firn.kubernetes;
in
{
  options.firn.kubernetes.sliceConfig = lib.mkOption {
    type = lib.types.attrsOf (
      lib.types.oneOf [
        lib.types.bool
        lib.types.int
        lib.types.str
      ]
    );
    default = { };
    example = { MemoryMax = "4G"; };
    description = "Settings of kubernetes.slice, as in systemd.resource-control(5).";
  };

  config = lib.mkIf cfg.enable {
    systemd.slices.kubernetes = {
      description = "Kubernetes' components";
      documentation = [ "https://kubernetes.io/docs/concepts/overview/components/" ];
      # A host full of busy pods still answers. Pods are not in it: the kubelet has a slice for them.
      sliceConfig = {
        CPUWeight = 1000;
        IOWeight = 1000;
      }
      // cfg.sliceConfig;
    };
  };
}
