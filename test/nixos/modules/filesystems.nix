# Written to /etc/fstab. The machine's root file system is mounted before the loader runs, and it has no others.
{ config, lib, ... }:
let
  inherit (lib) types;
  unspecified = default: description: lib.mkOption { type = types.unspecified; inherit default description; };
  fileSystem =
    { name, config, ... }:
    {
      options = {
        mountPoint = lib.mkOption {
          type = types.strMatching "/.*" // { description = "unspecified value"; };
          default = name;
          description = "Where it is mounted.";
        };
        device = lib.mkOption {
          type = types.nullOr (types.strMatching ".+" // { description = "unspecified value"; descriptionClass = "noun"; });
          default = null;
          description = "The device, or what stands for it.";
        };
        label = lib.mkOption {
          type = types.nullOr (types.strMatching ".+" // { description = "unspecified value"; descriptionClass = "noun"; });
          default = null;
          description = "Label of the device.";
        };
        fsType = lib.mkOption {
          type = types.strMatching ".+" // { description = "unspecified value"; };
          default = "auto";
          description = "Type of the file system.";
        };
        options = lib.mkOption {
          type = types.listOf (types.strMatching ".+" // { description = "unspecified value"; descriptionClass = "noun"; });
          default = [ "defaults" ];
          description = "Options of mount(8).";
        };
        neededForBoot = lib.mkOption {
          type = types.bool;
          default = false;
          description = "Whether the initial ramdisk mounts it.";
        };
        autoResize = lib.mkOption {
          type = types.bool;
          default = false;
          description = "Whether it grows to the size of its partition.";
        };
      };
      config.device = lib.mkIf (config.label != null) (lib.mkDefault "/dev/disk/by-label/${config.label}");
    };
  all = builtins.attrValues config.fileSystems;
in
{
  options.fileSystems = lib.mkOption {
    type = types.attrsOf (types.submodule fileSystem);
    default = { };
    description = "The file systems that are mounted at boot.";
  };
  options.swapDevices = lib.mkOption {
    type = types.listOf (
      types.submodule {
        options.device = lib.mkOption {
          type = types.nonEmptyStr;
          description = "The device or file.";
        };
      }
    );
    default = [ ];
    description = "Where memory is swapped to.";
  };
  config = {
    assertions = [
      {
        assertion = config.fileSystems ? "/";
        message = "The ‘fileSystems’ option does not specify your root file system.";
      }
    ]
    ++ map (fs: {
      assertion = fs.device != null;
      message = "No device specified for mount point ‘${fs.mountPoint}’.";
    }) all;
    environment.etc.fstab.text =
      lib.concatMapStrings (
        fs: "${toString fs.device} ${fs.mountPoint} ${fs.fsType} ${lib.concatStringsSep "," fs.options} 0 ${if fs.mountPoint == "/" then "1" else "2"}\n"
      ) all
      + lib.concatMapStrings (swap: "${swap.device} none swap defaults\n") config.swapDevices;
  };
}
