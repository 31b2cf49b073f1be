# Which ports of a host are whose, by its roles: kubernetes.io/docs/reference/networking/ports-and-protocols. What is not
# here (scheduler, controllers, metrics of etcd and of kube-proxy, the balancer) listens on the loopback alone.
{ config, lib, ... }:
let
  inherit (lib) types mkOption;
  kubernetes = config.firn.kubernetes;
  inherit (kubernetes) apiServer etcd;
in
{
  options.firn.kubernetes.apiServer.openFirewall = mkOption {
    type = types.bool;
    default = false;
    description = "Whether everyone reaches the API server of this host. Without it nodes and pods do, and nobody else.";
  };

  config.firn.firewall = lib.mkMerge [
    (lib.mkIf kubernetes.isControlPlane {
      # Pods come from this host's address where it translates, from their own where it does not.
      fromNodes.tcp = [ apiServer.port ] ++ lib.optional (kubernetes.datastore == "Etcd" && etcd.transport == "TLS") 2380;
      fromPods.tcp = [ apiServer.port ];
      fromAnywhere.tcp = lib.optional apiServer.openFirewall apiServer.port;
    })
    (lib.mkIf kubernetes.runsPods {
      # The kubelet: API servers, and what gathers numbers of pods.
      fromNodes.tcp = [ 10250 ];
      fromPods.tcp = [ 10250 ];
    })
  ];
}
