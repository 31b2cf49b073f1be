# firn-secrets.service: at boot, before the network and everything that could need a secret, the host's own program
# decides which release this boot means, and decrypts that release's secrets onto a tmpfs.
#
# The program is no part of the system, since one program serves all systems of a host: deployments put it at
# /var/lib/firn/host, and without it the unit does nothing.
{
  config,
  lib,
  pkgs,
  ...
}:
{
  config = lib.mkIf config.firn.host.enable {
    systemd.services.firn-secrets = {
      description = "Secrets of the deployed release";
      wantedBy = [ "sysinit.target" ];
      before = [
        "network-pre.target"
        "systemd-networkd.service"
        "sysinit.target"
        "shutdown.target"
      ];
      wants = [ "network-pre.target" ];
      conflicts = [ "shutdown.target" ];
      path = with pkgs; [
        coreutils
        findutils
        gawk
        gnugrep
        gnused
        systemd
        util-linux
      ];
      # A switch leaves it alone, also one to a system that does not have it: what it filled in stays in use, and
      # deployments change it themselves.
      restartIfChanged = false;
      stopIfChanged = false;
      unitConfig = {
        X-StopOnRemoval = false;
        DefaultDependencies = false;
        ConditionPathExists = "/var/lib/firn/host";
        # The key that decrypts is in the second.
        RequiresMountsFor = [
          "/var/lib/firn"
          "/var/lib/systemd"
        ];
      };
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = true;
        ExecStart = "/bin/sh /var/lib/firn/host boot";
        # A boot never waits for it for long.
        TimeoutStartSec = "90s";
      };
    };
  };
}
