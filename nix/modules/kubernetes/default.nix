# Kubernetes' components on a host, those that its roles ask for. Each is upstream's own program as a unit in
# kubernetes.slice; all certificates and keys are delivered as files below `firn.kubernetes.pki`.
{
  imports = [
    ./cluster.nix
    ./version.nix
    ./slice.nix
    ./kernel.nix
    ./etcd.nix
    ./kine.nix
    ./apiserver.nix
    ./apiserver-policies.nix
    ./controller-manager.nix
    ./scheduler.nix
    ./admin.nix
    ./loadbalancer.nix
    ./containerd.nix
    ./crio.nix
    ./cni.nix
    ./flannel.nix
    ./kubelet.nix
    ./kubelet-node.nix
    ./kube-proxy.nix
    ./dns.nix
    ./frontends.nix
    ./firewall.nix
  ];
}
