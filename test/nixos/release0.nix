# A host as an installer leaves it, before Firn: it can be reached, and that is all. The same for every host.
{
  system.stateVersion = "26.05";
  # Who starts the machine gives it a name and, through the loader, an address (README.md).
  networking.hostName = "";
  networking.useNetworkd = true;
  networking.useDHCP = false;
  services.openssh.enable = true;
  fileSystems."/" = {
    device = "/dev/disk/by-label/nixos";
    fsType = "ext4";
  };
  boot.loader.systemd-boot.enable = true;
}
