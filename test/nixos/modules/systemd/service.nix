# systemd.services.<name>: options, and the unit's text as NixOS writes it.
{
  lib,
  pkgs,
  globalEnvironment,
}:
let
  inherit (lib) types mkOption;
  unit = import ./types.nix { inherit lib; };
  lines = description: mkOption {
    type = types.lines;
    default = "";
    inherit description;
  };
  flag = default: description: mkOption {
    type = types.bool;
    inherit default description;
  };
  script = name: kind: text: pkgs.writeShellScript "unit-script-${lib.replaceStrings [ "@" ":" "\\" ] [ "-" "-" "-" ] name}-${kind}" "set -e\n${text}";
in
{
  name,
  config,
  options,
  ...
}:
{
  options = unit.unitOptions name // {
    environment = mkOption {
      type = types.attrsOf (
        types.nullOr (
          types.oneOf [
            types.str
            types.path
            types.package
          ]
        )
      );
      default = { };
      description = "Environment variables.";
    };
    path = mkOption {
      type = types.listOf (types.oneOf [
        types.package
        types.str
      ]);
      default = [ ];
      description = "Packages in PATH.";
    };
    enableDefaultPath = flag true "Whether coreutils and the like are in PATH.";
    serviceConfig = unit.settings "Settings of [Service].";
    script = lines "Shell commands of the main process.";
    scriptArgs = mkOption {
      type = types.str;
      default = "";
      description = "Arguments of the script.";
    };
    preStart = lines "Shell commands before the main process.";
    postStart = lines "Shell commands after the main process started.";
    reload = lines "Shell commands that reload.";
    preStop = lines "Shell commands that stop.";
    postStop = lines "Shell commands after the unit stopped.";
    restartIfChanged = flag true "Whether a switch restarts a changed unit.";
    reloadIfChanged = flag false "Whether a switch reloads a changed unit instead of restarting it.";
    stopIfChanged = flag true "Whether a changed unit is stopped before and started after activation, or restarted after it.";
    notSocketActivated = flag false "Whether a changed unit is started by a switch although it has sockets.";
    startAt = mkOption {
      type = types.either types.str (types.listOf types.str);
      default = [ ];
      apply = lib.toList;
      description = "Times as in systemd.time(7) at which a timer starts it.";
    };
  };
  config = {
    path = lib.mkIf config.enableDefaultPath (
      lib.mkAfter (
        with pkgs;
        [
          coreutils
          findutils
          gnugrep
          gnused
          systemd
        ]
      )
    );
    environment = lib.mkIf (config.path != [ ]) {
      PATH = lib.mkDefault (
        lib.concatStringsSep ":" (map (p: "${p}/bin") config.path ++ map (p: "${p}/sbin") config.path)
      );
    };
    unitConfig = unit.unitSettings options config;
    serviceConfig = lib.mkMerge [
      (lib.mkIf (config.script != "") {
        ExecStart = "${script name "start" config.script} ${config.scriptArgs}";
      })
      (lib.mkIf (config.preStart != "") { ExecStartPre = [ "${script name "pre-start" config.preStart} " ]; })
      (lib.mkIf (config.postStart != "") { ExecStartPost = [ "${script name "post-start" config.postStart} " ]; })
      (lib.mkIf (config.reload != "") { ExecReload = "${script name "reload" config.reload} "; })
      (lib.mkIf (config.preStop != "") { ExecStop = "${script name "pre-stop" config.preStop} "; })
      (lib.mkIf (config.postStop != "") { ExecStopPost = "${script name "post-stop" config.postStop} "; })
    ];
  };
}
