# The text of a unit of each type.
{ lib, globalEnvironment }:
let
  unit = import ./types.nix { inherit lib; };
  environmentLines =
    environment:
    lib.concatStrings (
      lib.mapAttrsToList (
        name: value:
        lib.optionalString (value != null) "Environment=${builtins.toJSON "${name}=${toString value}"}\n"
      ) (globalEnvironment // environment)
    );
  installed = config: text: {
    inherit (config)
      enable
      name
      overrideStrategy
      wantedBy
      requiredBy
      upheldBy
      aliases
      ;
    inherit text;
  };
in
{
  service =
    config:
    installed config (
      unit.section "Unit" config.unitConfig
      + "[Service]\n"
      + environmentLines config.environment
      + lib.optionalString config.reloadIfChanged "X-ReloadIfChanged=true\n"
      + lib.optionalString (!config.reloadIfChanged && !config.restartIfChanged) "X-RestartIfChanged=false\n"
      + lib.optionalString (!config.stopIfChanged) "X-StopIfChanged=false\n"
      + lib.optionalString config.notSocketActivated "X-NotSocketActivated=true\n"
      + unit.settingsToText config.serviceConfig
    );
  socket =
    config:
    installed config (
      unit.section "Unit" config.unitConfig
      + "[Socket]\n"
      + lib.concatMapStrings (s: "ListenStream=${s}\n") config.listenStreams
      + lib.concatMapStrings (s: "ListenDatagram=${s}\n") config.listenDatagrams
      + unit.settingsToText config.socketConfig
    );
  target = config: installed config (unit.section "Unit" config.unitConfig);
  timer =
    config: installed config (unit.section "Unit" config.unitConfig + unit.section "Timer" config.timerConfig);
  path =
    config: installed config (unit.section "Unit" config.unitConfig + unit.section "Path" config.pathConfig);
  slice =
    config: installed config (unit.section "Unit" config.unitConfig + unit.section "Slice" config.sliceConfig);
}
