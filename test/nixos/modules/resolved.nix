{
  config,
  lib,
  pkgs,
  ...
}:
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
    # systemd reads these files itself from 258 on. The machine's is older: what it knows is a link with servers and
    # domains, so each file gets one.
    systemd.services.stand-in-dns-delegates = {
      description = "Files of systemd.dns-delegate(5), for a systemd that does not know them";
      wantedBy = [ "multi-user.target" ];
      after = [ "systemd-resolved.service" ];
      partOf = [ "systemd-resolved.service" ];
      path = [ pkgs.iproute2 ];
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = true;
      };
      script = ''
        for link in /sys/class/net/delegate[0-9]*; do
          [ ! -e "$link" ] || ip link del "''${link##*/}" 2>/dev/null || true
        done
        count=0
        for file in /etc/systemd/dns-delegate.d/*.dns-delegate; do
          [ -e "$file" ] || continue
          link=delegate$count
          ip link add "$link" type veth peer name "$link"-end
          ip link set "$link"-end up
          ip link set "$link" up
          # resolved asks over no link that has no address.
          ip addr add "192.0.2.$((count + 1))/32" dev "$link"
          resolvectl dns "$link" $(sed -n 's/^DNS=//p' "$file")
          resolvectl domain "$link" $(sed -n 's/^Domains=//p' "$file")
          resolvectl default-route "$link" false
          count=$((count + 1))
        done
      '';
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
