# systemd.{services,sockets,targets,timers,paths,slices,units,settings}, and /etc/systemd/system made of them.
{
  config,
  lib,
  options,
  pkgs,
  ...
}:
let
  inherit (lib) types mkOption;
  cfg = config.systemd;
  unit = import ./systemd/types.nix { inherit lib; };
  text = import ./systemd/text.nix { inherit lib; inherit (cfg) globalEnvironment; };

  unitsOf =
    module:
    mkOption {
      type = types.attrsOf (types.submodule module);
      default = { };
      description = "Definition of systemd units.";
    };
  # A type of unit that has one section of its own.
  simple =
    key: extra:
    {
      name,
      config,
      options,
      ...
    }:
    {
      options =
        unit.unitOptions name // lib.optionalAttrs (key != null) { ${key} = unit.settings "Settings."; } // extra;
      config.unitConfig = unit.unitSettings options config;
    };
  strings = description: mkOption {
    type = types.listOf types.str;
    default = [ ];
    inherit description;
  };
  fromAll = suffix: toUnit: lib.mapAttrs' (name: c: lib.nameValuePair "${name}.${suffix}" (toUnit (c // { name = "${name}.${suffix}"; })));
  timed = lib.filterAttrs (_: s: s.enable && s.startAt != [ ]) cfg.services;
in
{
  options.systemd = {
    package = mkOption {
      type = types.package;
      default = pkgs.systemd;
      description = "The systemd package. Another one makes a switch re-execute the manager.";
    };
    units = mkOption {
      type = types.attrsOf (
        types.submodule (
          { name, ... }:
          {
            options = unit.sharedOptions name // {
              text = mkOption {
                type = types.nullOr types.str;
                default = null;
                description = "Text of the unit.";
              };
            };
          }
        )
      );
      default = { };
      description = "Units as text, with the links that enable them.";
    };
    services = unitsOf (import ./systemd/service.nix { inherit lib pkgs; inherit (cfg) globalEnvironment; });
    sockets = unitsOf (
      simple "socketConfig" {
        listenStreams = strings "ListenStream=";
        listenDatagrams = strings "ListenDatagram=";
      }
    );
    targets = unitsOf (simple null { });
    timers = unitsOf (simple "timerConfig" { });
    paths = unitsOf (simple "pathConfig" { });
    slices = unitsOf (simple "sliceConfig" { });
    globalEnvironment = mkOption {
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
      description = "Environment variables of all services.";
    };
    settings.Manager = mkOption {
      type = types.submodule { freeformType = types.attrsOf unit.unitOption; };
      default = { };
      description = "Settings of systemd-system.conf(5).";
    };
    suppressedSystemUnits = strings "Upstream units that are left out.";
    additionalUpstreamSystemUnits = strings "Further upstream units.";
  };

  config = {
    systemd.units =
      fromAll "service" text.service cfg.services
      // fromAll "socket" text.socket cfg.sockets
      // fromAll "target" text.target cfg.targets
      // fromAll "timer" text.timer cfg.timers
      // fromAll "path" text.path cfg.paths
      // fromAll "slice" text.slice cfg.slices;
    systemd.timers = lib.mapAttrs (_: s: {
      wantedBy = [ "timers.target" ];
      timerConfig.OnCalendar = s.startAt;
    }) timed;
    assertions = lib.concatLists (
      lib.mapAttrsToList (name: service: [
        {
          assertion = !(service.serviceConfig ? User && service.serviceConfig.User == "");
          message = "Service ${name} has an empty User.";
        }
        {
          assertion = !(service.reloadIfChanged && !service.restartIfChanged);
          message = "Service ${name} cannot have both reloadIfChanged and restartIfChanged = false.";
        }
      ]) cfg.services
    );
    environment.etc."systemd/system".source = import ./systemd/tree.nix {
      inherit lib pkgs;
      inherit (cfg) units;
      upstream = lib.subtractLists cfg.suppressedSystemUnits cfg.additionalUpstreamSystemUnits;
    };
    environment.etc."systemd/system.conf".text = "[Manager]\n${unit.settingsToText cfg.settings.Manager}";
  };
}
