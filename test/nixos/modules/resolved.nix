{ config, lib, ... }:
let
  inherit (lib) types mkOption;
  unit = import ./systemd/types.nix { inherit lib; };
  cfg = config.services.resolved;
in
{
  options.services.resolved = {
    enable = mkOption {
      type = types.bool;
      default = config.systemd.network.enable;
      description = "Whether to enable systemd-resolved.";
    };
    settings.Resolve = mkOption {
      type = types.submodule { freeformType = types.attrsOf unit.unitOption; };
      default = { };
      description = "Settings of resolved.conf(5).";
    };
  };
  config = lib.mkIf cfg.enable {
    systemd.additionalUpstreamSystemUnits = [ "systemd-resolved.service" ];
    systemd.services.systemd-resolved = {
      wantedBy = [ "sysinit.target" ];
      aliases = [ "dbus-org.freedesktop.resolve1.service" ];
      reloadTriggers = [ config.environment.etc."systemd/resolved.conf".source ];
      stopIfChanged = false;
    };
    environment.etc."systemd/resolved.conf".text = "[Resolve]\n${unit.settingsToText cfg.settings.Resolve}";
    environment.etc."resolv.conf".source = "/run/systemd/resolve/stub-resolv.conf";
    users.users.systemd-resolve = {
      uid = 153;
      isSystemUser = true;
      group = "systemd-resolve";
    };
    users.groups.systemd-resolve.gid = 153;
  };
}
