{
  config,
  lib,
  pkgs,
  ...
}:
let
  scripts = lib.mapAttrs (
    _: s: if builtins.isString s then { text = s; deps = [ ]; } else s
  ) config.system.activationScripts;
  # Each once, what it depends on before it.
  order =
    seen: name:
    if builtins.elem name seen then
      seen
    else if !scripts ? ${name} then
      throw "system.activationScripts has no script `${name}' to depend on."
    else
      builtins.foldl' order seen scripts.${name}.deps ++ [ name ];
  sorted = builtins.foldl' order [ ] (builtins.attrNames scripts);
  snippet = name: ''
    #### Activation script snippet ${name}:
    _localstatus=0
    ${scripts.${name}.text}
    if (( _localstatus > 0 )); then
      printf "Activation script snippet '%s' failed (%s)\n" ${lib.escapeShellArg name} "$_localstatus"
    fi
  '';
in
{
  options.system.activationScripts = lib.mkOption {
    type = lib.types.attrsOf (
      lib.types.either lib.types.str (
        lib.types.submodule {
          options = {
            deps = lib.mkOption {
              type = lib.types.listOf lib.types.str;
              default = [ ];
              description = "Scripts that come before this one.";
            };
            text = lib.mkOption {
              type = lib.types.lines;
              description = "The script.";
            };
            supportsDryActivation = lib.mkOption {
              type = lib.types.bool;
              default = false;
              description = "Whether the script looks at `NIXOS_ACTION`.";
            };
          };
        }
      )
    );
    default = { };
    description = "Shell fragments that run at boot and at every switch.";
  };

  config.system.activationScripts = {
    var.text = ''
      mkdir -p /var/tmp /var/empty /var/log /var/lib/nixos
      chmod 1777 /var/tmp
      ln -sfn /run /var/run
    '';
    wrappers = {
      deps = [ "users" ];
      text = lib.optionalString config.security.sudo.enable ''
        mkdir -p -m 0755 /run/wrappers/bin
        cp -L ${config.security.sudo.package}/bin/sudo /run/wrappers/bin/.sudo
        chmod 4511 /run/wrappers/bin/.sudo
        mv -T /run/wrappers/bin/.sudo /run/wrappers/bin/sudo
      '';
    };
  };
  config.system.build.activate = pkgs.writeScript "activate" ''
    #!${pkgs.bash}/bin/bash
    systemConfig=@out@
    export PATH=${
      lib.concatMapStringsSep ":" (p: "${p}/bin") (
        with pkgs;
        [
          coreutils
          gnugrep
          findutils
          getent
          shadow
          nettools
          util-linux
        ]
      )
    }
    export LC_ALL=C
    _status=0
    trap "_status=1 _localstatus=\$?" ERR
    umask 0022

    ${lib.concatMapStrings snippet sorted}

    # What runs now; done last, so that an activation that was interrupted is seen to be.
    ln -sfn "$(readlink -f "$systemConfig")" /run/current-system
    mkdir -p /nix/var/nix/gcroots
    ln -sfn /run/current-system /nix/var/nix/gcroots/current-system
    exit $_status
  '';
}
