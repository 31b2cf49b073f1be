# Users that Kubernetes' components run as, and that own the certificates and keys which are delivered for them.
{ config, lib, ... }:
let
  inherit (lib) types mkOption;
  inherit (config.firn.kubernetes) roles;
  plays = role: builtins.elem role roles;
  # The kubelet is root: it starts containers.
  names =
    lib.optional (plays "control-plane") "etcd"
    ++ lib.optional (plays "control-plane" || plays "worker") "kubernetes"
    ++ lib.optional (roles != [ ]) "coredns";
in
{
  options.firn.kubernetes.roles = mkOption {
    type = types.listOf (
      types.enum [
        "control-plane"
        "worker"
        "frontend"
      ]
    );
    default = [ ];
    description = "What this host does in a Kubernetes cluster.";
  };

  config = lib.mkIf (roles != [ ]) {
    users.users = lib.genAttrs names (name: {
      isSystemUser = true;
      group = name;
    });
    users.groups = lib.genAttrs names (_: { });
  };
}
