{
  config,
  lib,
  options,
  pkgs,
  ...
}:
let
  cfg = config.system;
  failed = map (a: a.message) (builtins.filter (a: !a.assertion) config.assertions);
  checked =
    x:
    if failed != [ ] then
      throw "\nFailed assertions:\n${lib.concatMapStringsSep "\n" (message: "- ${message}") failed}"
    else
      builtins.foldl' (y: warning: lib.warn warning y) x config.warnings;

  init = pkgs.writeScript "stage-2-init" ''
    #!/bin/sh
    # What NixOS's stage 2 does on a machine whose file systems are there: activate, then systemd.
    systemConfig=@systemConfig@
    export PATH=${pkgs.coreutils}/bin:${pkgs.util-linux}/bin
    umask 0022
    echo
    echo "<<< NixOS Stage 2 >>>"
    echo
    mkdir -p /etc /var /root /run
    chmod 0700 /root
    : >/etc/NIXOS
    ln -sfn "$systemConfig" /run/booted-system
    "$systemConfig/activate"
    mkdir -p /nix/var/nix/gcroots
    ln -sfn /run/booted-system /nix/var/nix/gcroots/booted-system
    ${config.boot.postBootCommands}
    echo "starting systemd..."
    unset PATH
    exec /usr/lib/systemd/systemd "$@"
  '';
in
{
  options.system = {
    build = lib.mkOption {
      type = lib.types.lazyAttrsOf lib.types.unspecified;
      internal = true;
      default = { };
      description = "What is built of a system: `toplevel` is the whole of it.";
    };
    stateVersion = lib.mkOption {
      type = lib.types.str;
      default = lib.trivial.release;
      description = "The release whose formats of stateful data the system keeps to.";
    };
    name = lib.mkOption {
      type = lib.types.str;
      default = if config.networking.hostName == "" then "unnamed" else config.networking.hostName;
      description = "The name of the system in its store path.";
    };
    nixos.version = lib.mkOption {
      type = lib.types.str;
      default = lib.version + lib.optionalString (builtins.pathExists ../lib/.version-suffix) (lib.fileContents ../lib/.version-suffix);
      internal = true;
      description = "The full version.";
    };
    nixos.label = lib.mkOption {
      type = lib.types.strMatching "[a-zA-Z0-9:_\\.-]*";
      default = config.system.nixos.version;
      description = "What boot loaders show.";
    };
    nixos.release = lib.mkOption {
      type = lib.types.str;
      default = lib.trivial.release;
      readOnly = true;
      description = "The release.";
    };
    extraDependencies = lib.mkOption {
      type = lib.types.listOf lib.types.path;
      default = [ ];
      description = "Paths that stay in the store with the system.";
    };
  };

  config = {
    warnings = lib.optional (options.system.stateVersion.highestPrio == 1500) "system.stateVersion is not set, defaulting to ${cfg.stateVersion}.";
    environment.etc.os-release.text = ''
      ANSI_COLOR="0;38;2;126;186;228"
      ID=nixos
      NAME=NixOS
      PRETTY_NAME="NixOS ${cfg.nixos.release} (stand-in)"
      VERSION="${cfg.nixos.release}"
      VERSION_ID="${cfg.nixos.release}"
      BUILD_ID="${cfg.nixos.version}"
    '';
    environment.etc.NIXOS = {
      text = "";
      mode = "0644";
    };
    system.build.toplevel = checked (
      pkgs.runCommand "nixos-system-${cfg.name}-${cfg.nixos.label}"
        {
          kernelParams = toString config.boot.kernelParams;
          extraDependencies = map toString cfg.extraDependencies;
        }
        ''
          mkdir -p "$out/bin" "$out/specialisation"
          ln -s ${config.boot.kernelPackages.kernel}/bzImage "$out/kernel"
          ln -s ${config.boot.kernelPackages.kernel} "$out/kernel-modules"
          ln -s ${config.system.build.initialRamdisk}/initrd "$out/initrd"
          printf '%s' "$kernelParams" >"$out/kernel-params"
          sed "s|@systemConfig@|$out|" ${init} >"$out/init"
          sed "s|@out@|$out|" ${cfg.build.activate} >"$out/activate"
          sed "s|@out@|$out|" ${cfg.build.switchToConfiguration} >"$out/bin/switch-to-configuration"
          chmod +x "$out/init" "$out/activate" "$out/bin/switch-to-configuration"
          ln -s ${cfg.build.etc}/etc "$out/etc"
          ln -s ${cfg.path} "$out/sw"
          ln -s ${config.systemd.package} "$out/systemd"
          printf %s ${lib.escapeShellArg cfg.nixos.label} >"$out/nixos-version"
          printf %s ${pkgs.stdenv.hostPlatform.system} >"$out/system"
          printf %s "systemd ${toString (config.systemd.package.interfaceVersion or 2)}" >"$out/init-interface-version"
          printf %s "$extraDependencies" >"$out/extra-dependencies"
        ''
    );
  };
}
