# Every option of the stand-in. Each is declared by hand, with NixOS's name and type; what is not here is refused.
{
  imports = [
    ./assertions.nix
    ./nixpkgs.nix
    ./environment.nix
    ./etc.nix
    ./users.nix
    ./activation.nix
    ./toplevel.nix
    ./boot.nix
    ./kernel.nix
    ./filesystems.nix
    ./nix-daemon.nix
    ./networking.nix
    ./firewall.nix
    ./networkd.nix
    ./openssh.nix
    ./pam.nix
    ./resolved.nix
    ./sudo.nix
    ./switch.nix
    ./systemd.nix
    ./systemd-base.nix
    ./time.nix
    ./tmpfiles.nix
  ];
}
