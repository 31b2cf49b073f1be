# For root on control-plane hosts, when nothing else answers any more: kubectl, and a kubeconfig. Its user is in
# `firn:cluster-admins`, which is bound to cluster-admin as long as somebody wants that, and not in system:masters.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  kubernetes = config.firn.kubernetes;
  component = import ./component.nix { inherit config lib pkgs; };
in
{
  config = lib.mkIf kubernetes.isControlPlane {
    environment.systemPackages = [ kubernetes.packages.apiServer ];
    environment.etc."kubernetes/cluster-admin.kubeconfig" = {
      # It names the key that only root reads.
      mode = "0400";
      text = component.kubeconfig {
        client = "admin";
        server = component.localServer;
      };
    };
  };
}
