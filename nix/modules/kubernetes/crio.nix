# CRI-O, by NixOS's own module; what the kubelet needs of it.
{ config, lib, ... }:
let
  kubernetes = config.firn.kubernetes;
in
{
  config = lib.mkIf (kubernetes.runsPods && kubernetes.runtime == "CRIO") {
    virtualisation.cri-o = {
      enable = true;
      pauseImage = lib.mkDefault kubernetes.pauseImage;
      settings.crio.network.network_dir = lib.mkDefault "/etc/cni/net.d";
    };
    # NixOS's module has a network of its own, which sorts before any other and would be every pod's.
    environment.etc."cni/net.d/10-crio-bridge.conflist".enable = false;
    environment.etc."cni/net.d/99-loopback.conflist".enable = false;
    systemd.services.crio.serviceConfig.Slice = "kubernetes.slice";
  };
}
