# nixpkgs' packages with Kubernetes' programs: few hosts have them, at a store path of their own.
{
  cni-plugins = {
    version = "1.9.1";
    programs = [
      "bridge"
      "host-local"
      "loopback"
      "portmap"
    ];
  };
  containerd = {
    version = "2.4.2";
    programs = [
      "containerd"
      "containerd-shim-runc-v2"
      "ctr"
    ];
  };
  # Not to be had here: its module is evaluated, and nothing runs it.
  cri-o = {
    version = "1.36.0";
    programs = [
      "crio"
      "pinns"
    ];
  };
  cri-tools = {
    version = "1.36.0";
    programs = [ "crictl" ];
  };
  etcd = {
    version = "3.6.16";
    programs = [
      "etcd"
      "etcdctl"
    ];
  };
  flannel = {
    version = "0.28.10";
    programs = [ "flannel" ];
  };
  kine = {
    version = "0.16.4";
    programs = [ "kine" ];
  };
  kubernetes = {
    version = "1.36.3";
    nextVersion = "1.37.1";
    programs = [
      "kube-apiserver"
      "kube-controller-manager"
      "kube-proxy"
      "kube-scheduler"
      "kubectl"
      "kubelet"
    ];
  };
}
