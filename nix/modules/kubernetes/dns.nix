# Names of services and pods: the CoreDNS of every node asks the API for them, and answers pods for everything else, too.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  kubernetes = config.firn.kubernetes;
  component = import ./component.nix { inherit config lib pkgs; };
  kubeconfig = "/etc/kubernetes/coredns.kubeconfig";
in
{
  config = lib.mkIf kubernetes.enable {
    environment.etc."kubernetes/coredns.kubeconfig".text = component.kubeconfig {
      client = "coredns";
      server = component.balancedServer;
    };
    firn.dns = {
      # Names of nodes are known without the API, and do not wait for it.
      plugins = ''
        kubernetes ${kubernetes.domain} in-addr.arpa ip6.arpa {
            kubeconfig ${kubeconfig}
            pods insecure
            ttl 15
            startup_timeout 1s
            fallthrough in-addr.arpa ip6.arpa
        }
      '';
      # The host's own resolver knows whom to ask.
      forwardTo = lib.mkIf kubernetes.runsPods [ "127.0.0.53" ];
      user = "coredns";
    };
    systemd.services.firn-dns = {
      restartTriggers = [ config.environment.etc."kubernetes/coredns.kubeconfig".source ];
      serviceConfig.Slice = "kubernetes.slice";
    };
    # It reads the authority once: files that name the unit by what it runs are about this one.
    systemd.services.firn-dns.aliases = [ "coredns.service" ];
  };
}
