{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) types;
  modulesOption = description:
    lib.mkOption {
      type = types.listOf types.str;
      default = [ ];
      inherit description;
    };
  sysctlValue = types.mkType {
    name = "sysctl option value";
    check = v: v == null || builtins.isBool v || builtins.isString v || builtins.isInt v;
    # NixOS: two definitions of one key are an error even where they are equal.
    merge = types.mergeOne;
  };
in
{
  options.boot = {
    kernelPackages = lib.mkOption {
      type = types.raw;
      default = pkgs.linuxPackages;
      description = "The kernel and what is built for it.";
    };
    kernelParams = lib.mkOption {
      type = types.listOf (types.strMatching ''([^"[:space:]]|"[^"]*")+'' // { description = "unspecified value"; descriptionClass = "noun"; });
      default = [ ];
      description = "Parameters of the kernel's command line.";
    };
    kernelModules = lib.mkOption {
      type = types.coercedTo (types.listOf types.str) (names: lib.genAttrs names (_: true)) (types.attrsOf types.bool);
      default = { };
      description = "Modules that are loaded at boot.";
    };
    extraModulePackages = lib.mkOption {
      type = types.listOf types.package;
      default = [ ];
      description = "Packages with further kernel modules.";
    };
    kernel.sysctl = lib.mkOption {
      type = types.submodule { freeformType = types.attrsOf sysctlValue; };
      default = { };
      description = "Parameters of the running kernel.";
    };
    initrd.availableKernelModules = modulesOption "Modules in the initial ramdisk.";
    initrd.kernelModules = modulesOption "Modules that the initial ramdisk loads.";
  };

  config = {
    boot.kernelParams = [ "loglevel=4" ];
    system.build.initialRamdisk = pkgs.runCommand "initrd" { } ''
      mkdir "$out"
      echo ${
        lib.escapeShellArgs (lib.unique (config.boot.initrd.availableKernelModules ++ config.boot.initrd.kernelModules))
      } >"$out/initrd"
    '';
    environment.etc."sysctl.d/60-nixos.conf".text = lib.concatStrings (
      lib.mapAttrsToList (
        name: value:
        lib.optionalString (value != null) "${name}=${if value == false then "0" else if value == true then "1" else toString value}\n"
      ) config.boot.kernel.sysctl
    );
    environment.etc."modules-load.d/nixos.conf".text = lib.concatMapStrings (name: "${name}\n") (
      builtins.attrNames (lib.filterAttrs (_: wanted: wanted) config.boot.kernelModules)
    );
    systemd.services.systemd-sysctl = {
      wantedBy = [ "multi-user.target" ];
      restartTriggers = [ config.environment.etc."sysctl.d/60-nixos.conf".source ];
    };
  };
}
