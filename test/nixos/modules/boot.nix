# Boot loaders exist here as far as modules choose between them. What boots the machine is told of every default
# in NixOS's way, by `system.build.installBootLoader`; README.md has the file that it writes.
{
  config,
  lib,
  pkgs,
  ...
}:
{
  options.boot = {
    loader.systemd-boot.enable = lib.mkOption {
      type = lib.types.bool;
      default = false;
      description = "Whether to use systemd-boot.";
    };
    loader.efi.canTouchEfiVariables = lib.mkOption {
      type = lib.types.bool;
      default = false;
      description = "Whether EFI variables may be written.";
    };
    loader.efi.efiSysMountPoint = lib.mkOption {
      type = lib.types.str;
      default = "/boot";
      description = "Where the EFI system partition is.";
    };
    loader.grub.enable = lib.mkOption {
      type = lib.types.bool;
      default = !config.boot.loader.systemd-boot.enable;
      description = "Whether to use GRUB.";
    };
    loader.grub.device = lib.mkOption {
      type = lib.types.str;
      default = "";
      description = "The disk that GRUB is installed on.";
    };
    loader.grub.devices = lib.mkOption {
      type = lib.types.listOf lib.types.str;
      default = [ ];
      description = "The disks that GRUB is installed on.";
    };
    loader.grub.efiSupport = lib.mkOption {
      type = lib.types.bool;
      default = false;
      description = "Whether GRUB is built for EFI.";
    };
    loader.timeout = lib.mkOption {
      type = lib.types.nullOr lib.types.int;
      default = 5;
      description = "Seconds until the default boots.";
    };
    postBootCommands = lib.mkOption {
      type = lib.types.lines;
      default = "";
      description = "Commands just before systemd starts.";
    };
  };

  config = {
    assertions = [
      {
        assertion =
          config.boot.loader.grub.enable
          -> config.boot.loader.grub.device != "" || config.boot.loader.grub.devices != [ ];
        message = "You must set the option ‘boot.loader.grub.devices’ or 'boot.loader.grub.mirroredBoots' to make the system bootable.";
      }
    ];
    system.build.installBootLoader = pkgs.writeShellScript "install-boot-loader" ''
      set -eu
      export PATH=${pkgs.coreutils}/bin
      mkdir -p /boot/firn-loader
      printf '%s\n' "$1" >/boot/firn-loader/.default
      sync /boot/firn-loader/.default
      mv -T /boot/firn-loader/.default /boot/firn-loader/default
      sync /boot/firn-loader
    '';
  };
}
