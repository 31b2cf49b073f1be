# As what the kubelet registers this host's Node.
{ config, lib, ... }:
let
  inherit (lib) types mkOption;
  kubernetes = config.firn.kubernetes;
  cfg = kubernetes.kubelet;
in
{
  options.firn.kubernetes.kubelet = {
    labels = mkOption {
      type = types.attrsOf (types.strMatching "([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?");
      default = { };
      example = { disk = "ssd"; };
      description = "Labels with which the Node is registered. A kubelet may not have any of node-role.kubernetes.io.";
    };
    taints = mkOption {
      type = types.listOf (
        types.submodule {
          options = {
            key = mkOption {
              type = types.str;
              description = "Key of the taint.";
            };
            value = mkOption {
              type = types.str;
              default = "";
              description = "Value of the taint.";
            };
            effect = mkOption {
              type = types.enum [
                "NoSchedule"
                "PreferNoSchedule"
                "NoExecute"
              ];
              description = "What happens to pods that do not tolerate it.";
            };
          };
        }
      );
      default = [ ];
      description = "Taints with which the Node is registered, so that there is no moment without them.";
    };
  };

  config = lib.mkIf kubernetes.runsPods {
    assertions = [
      {
        assertion = !lib.any (lib.hasPrefix "node-role.kubernetes.io/") (builtins.attrNames cfg.labels);
        message = "firn.kubernetes.kubelet.labels has a label of node-role.kubernetes.io, which the API server refuses from a kubelet (NodeRestriction). Remove it, and label the Node from outside.";
      }
    ];
  };
}
