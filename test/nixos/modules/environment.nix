{
  config,
  lib,
  pkgs,
  ...
}:
{
  options = {
    environment.systemPackages = lib.mkOption {
      type = lib.types.listOf lib.types.package;
      default = [ ];
      description = "Packages whose programs are in everybody's PATH.";
    };
    environment.variables = lib.mkOption {
      type = lib.types.attrsOf (
        lib.types.oneOf [
          (lib.types.listOf (
            lib.types.oneOf [
              lib.types.int
              lib.types.str
              lib.types.path
            ]
          ))
          lib.types.int
          lib.types.str
          lib.types.path
        ]
      );
      default = { };
      apply = lib.mapAttrs (_: v: if builtins.isList v then lib.concatMapStringsSep ":" toString v else toString v);
      description = "Environment variables of shells.";
    };
    system.path = lib.mkOption {
      internal = true;
      description = "The packages of environment.systemPackages as one.";
    };
  };

  config = {
    environment.systemPackages = with pkgs; [
      bashInteractive
      coreutils
      diffutils
      findutils
      gawk
      gnugrep
      gnused
      gnutar
      gzip
      config.nix.package
      config.services.openssh.package
      config.systemd.package
      dbus
      getent
      iproute2
      iputils
      less
      nettools
      nftables
      perl
      procps
      shadow
      util-linux
      xz
      zstd
      (import ../programs/bootctl.nix { inherit pkgs; })
    ];
    environment.etc.profile.text = ''
      # NixOS's own profile does more; this is what a login shell needs to find programs.
      PATH=/run/wrappers/bin:/nix/var/nix/profiles/default/bin:/run/current-system/sw/bin
      export PATH
      ${lib.concatStringsSep "\n" (
        lib.mapAttrsToList (name: value: "export ${name}=${lib.escapeShellArg value}") config.environment.variables
      )}
    '';
    environment.etc.bashrc.text = ''
      [ -n "$PATH" ] && [ -z "$__ETC_PROFILE_DONE" ] && . /etc/profile
      __ETC_PROFILE_DONE=1
    '';
    system.path = pkgs.buildEnv {
      name = "system-path";
      paths = config.environment.systemPackages;
      pathsToLink = [
        "/bin"
        "/share"
      ];
    };
  };
}
