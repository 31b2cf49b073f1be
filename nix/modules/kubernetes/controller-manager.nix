# kube-controller-manager. It talks to this host's own API server, which is of its version or newer.
#
# It has no key of an authority, so it signs no certificates: requests for them stay as they are.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  kubernetes = config.firn.kubernetes;
  cfg = kubernetes.controllerManager;
  component = import ./component.nix { inherit config lib pkgs; };
  kubeconfig = "/etc/kubernetes/controller-manager.kubeconfig";
  owned = {
    inherit kubeconfig;
    authentication-kubeconfig = kubeconfig;
    authorization-kubeconfig = kubeconfig;
    bind-address = "127.0.0.1";
    root-ca-file = "${kubernetes.pki}/ca.crt";
    service-account-private-key-file = "${kubernetes.pki}/sa.key";
    use-service-account-credentials = true;
    # Which node has which subnet is decided before there is an API to ask.
    allocate-node-cidrs = false;
  };
  refused = builtins.attrNames owned ++ [
    "cluster-signing-cert-file"
    "cluster-signing-key-file"
    "master"
  ];
in
{
  options.firn.kubernetes.controllerManager.extraArgs = component.extraArgs "kube-controller-manager";

  config = lib.mkIf kubernetes.isControlPlane {
    environment.etc."kubernetes/controller-manager.kubeconfig".text = component.kubeconfig {
      client = "controller-manager";
      server = component.localServer;
    };
    systemd.services.kube-controller-manager = component.service {
      description = "Kubernetes' controllers";
      documentation = [ "https://kubernetes.io/docs/reference/command-line-tools-reference/kube-controller-manager" ];
      after = [ "kube-apiserver.service" ];
      environment.FIRN_KUBECTL = "${kubernetes.packages.controllerManager}/bin/kubectl";
      restartTriggers = [ config.environment.etc."kubernetes/controller-manager.kubeconfig".source ];
      serviceConfig = component.confined // {
        ExecStart = component.awaiting "api:${kubeconfig}" (
          component.commandLine "${kubernetes.packages.controllerManager}/bin/kube-controller-manager" (
            component.withExtra {
              inherit owned;
              extra = cfg.extraArgs;
              defaults = {
                leader-elect = true;
                profiling = false;
                terminated-pod-gc-threshold = 1000;
              };
            }
          )
        );
        User = "kubernetes";
        Group = "kubernetes";
        OOMScoreAdjust = -800;
      };
    };
    firn.kubernetes.refused."controllerManager.extraArgs" = refused;
    assertions = [
      (component.refusal "firn.kubernetes.controllerManager.extraArgs" refused cfg.extraArgs)
    ];
  };
}
