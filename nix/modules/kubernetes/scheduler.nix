# kube-scheduler. It talks to this host's own API server, which is of its version or newer.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  kubernetes = config.firn.kubernetes;
  cfg = kubernetes.scheduler;
  component = import ./component.nix { inherit config lib pkgs; };
  kubeconfig = "/etc/kubernetes/scheduler.kubeconfig";
  ownedFields = [
    [ "apiVersion" ]
    [ "kind" ]
    [ "clientConnection" "kubeconfig" ]
  ];
  owned = {
    config = "/etc/kubernetes/scheduler.json";
    authentication-kubeconfig = kubeconfig;
    authorization-kubeconfig = kubeconfig;
    bind-address = "127.0.0.1";
  };
  refused = builtins.attrNames owned ++ [
    "kubeconfig"
    "master"
  ];
in
{
  options.firn.kubernetes.scheduler = {
    settings = lib.mkOption {
      inherit (pkgs.formats.json { }) type;
      default = { };
      example = { profiles = [ { schedulerName = "default-scheduler"; } ]; };
      description = "Fields of kubescheduler.config.k8s.io/v1 KubeSchedulerConfiguration.";
    };
    extraArgs = component.extraArgs "kube-scheduler";
  };

  config = lib.mkIf kubernetes.isControlPlane {
    environment.etc."kubernetes/scheduler.kubeconfig".text = component.kubeconfig {
      client = "scheduler";
      server = component.localServer;
    };
    environment.etc."kubernetes/scheduler.json".text = builtins.toJSON (
      lib.recursiveUpdate (lib.recursiveUpdate { enableProfiling = false; } cfg.settings) {
        apiVersion = "kubescheduler.config.k8s.io/v1";
        kind = "KubeSchedulerConfiguration";
        clientConnection = { inherit kubeconfig; };
      }
    );
    systemd.services.kube-scheduler = component.service {
      description = "Kubernetes' scheduler";
      documentation = [ "https://kubernetes.io/docs/reference/command-line-tools-reference/kube-scheduler" ];
      after = [ "kube-apiserver.service" ];
      environment.FIRN_KUBECTL = "${kubernetes.packages.scheduler}/bin/kubectl";
      restartTriggers = map (name: config.environment.etc."kubernetes/${name}".source) [
        "scheduler.json"
        "scheduler.kubeconfig"
      ];
      serviceConfig = component.confined // {
        ExecStart = component.awaiting "api:${kubeconfig}" (
          component.commandLine "${kubernetes.packages.scheduler}/bin/kube-scheduler" (
            component.withExtra {
              inherit owned;
              extra = cfg.extraArgs;
              defaults = { };
            }
          )
        );
        User = "kubernetes";
        Group = "kubernetes";
        OOMScoreAdjust = -800;
      };
    };
    firn.kubernetes.refused."scheduler.extraArgs" = refused;
    assertions = [
      (component.refusal "firn.kubernetes.scheduler.extraArgs" refused cfg.extraArgs)
      (component.refusalOfFields "firn.kubernetes.scheduler.settings" ownedFields cfg.settings)
    ];
  };
}
