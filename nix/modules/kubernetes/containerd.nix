# containerd, by NixOS's own module; what the kubelet needs of it.
{ config, lib, ... }:
let
  kubernetes = config.firn.kubernetes;
in
{
  config = lib.mkIf (kubernetes.runsPods && kubernetes.runtime == "Containerd") {
    virtualisation.containerd = {
      enable = true;
      # Version 2 of the format, as NixOS's module has it; containerd 2 reads it as well.
      settings.plugins."io.containerd.grpc.v1.cri" = {
        sandbox_image = lib.mkDefault kubernetes.pauseImage;
        cni.conf_dir = lib.mkDefault "/etc/cni/net.d";
        containerd.runtimes.runc = {
          runtime_type = lib.mkDefault "io.containerd.runc.v2";
          # As the kubelet has it: systemd(1) alone changes cgroups.
          options.SystemdCgroup = lib.mkDefault true;
        };
      };
    };
    systemd.services.containerd.serviceConfig.Slice = "kubernetes.slice";
  };
}
