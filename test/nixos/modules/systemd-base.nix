# The units of systemd itself that a host without screen, keyboard or disks of its own needs.
{ config, ... }:
let
  inherit (config.systemd) package;
in
{
  config = {
    systemd.additionalUpstreamSystemUnits = [
      "basic.target"
      "emergency.target"
      "exit.target"
      "final.target"
      "getty.target"
      "getty-pre.target"
      "halt.target"
      "initrd-root-device.target"
      "kexec.target"
      "local-fs.target"
      "local-fs-pre.target"
      "multi-user.target"
      "network.target"
      "network-online.target"
      "network-pre.target"
      "nss-lookup.target"
      "nss-user-lookup.target"
      "paths.target"
      "poweroff.target"
      "reboot.target"
      "remote-fs.target"
      "remote-fs-pre.target"
      "rescue.target"
      "shutdown.target"
      "sigpwr.target"
      "slices.target"
      "sockets.target"
      "soft-reboot.target"
      "swap.target"
      "sysinit.target"
      "system-update.target"
      "system-update-pre.target"
      "time-set.target"
      "time-sync.target"
      "timers.target"
      "umount.target"

      "dbus.service"
      "dbus.socket"
      "systemd-exit.service"
      "systemd-halt.service"
      "systemd-journal-flush.service"
      "systemd-journald.service"
      "systemd-journald.socket"
      "systemd-journald-dev-log.socket"
      "systemd-kexec.service"
      "systemd-logind.service"
      "systemd-poweroff.service"
      "systemd-reboot.service"
      "systemd-soft-reboot.service"
      "systemd-sysctl.service"
      "systemd-tmpfiles-clean.service"
      "systemd-tmpfiles-clean.timer"
      "systemd-tmpfiles-setup.service"
      "systemd-user-sessions.service"
      "user-runtime-dir@.service"
      "user.slice"
      "user@.service"
    ];
    systemd.targets.multi-user.aliases = [ "default.target" ];
    systemd.targets.reboot.aliases = [ "ctrl-alt-del.target" ];
    systemd.services = {
        # NixOS: neither is ever restarted by a switch; who is logged in would not survive it.
        dbus = {
          wantedBy = [ "multi-user.target" ];
          reloadIfChanged = true;
          aliases = [ "messagebus.service" ];
        };
        systemd-logind = {
          wantedBy = [ "multi-user.target" ];
          restartIfChanged = false;
          aliases = [ "dbus-org.freedesktop.login1.service" ];
        };
        systemd-user-sessions = {
          wantedBy = [ "multi-user.target" ];
          restartIfChanged = false;
        };
        "user@".restartIfChanged = false;
        "user-runtime-dir@".restartIfChanged = false;
        systemd-journald = {
          wantedBy = [ "sysinit.target" ];
          stopIfChanged = false;
        };
        systemd-journal-flush = {
          wantedBy = [ "sysinit.target" ];
          restartIfChanged = false;
        };
        systemd-tmpfiles-setup = {
          wantedBy = [ "sysinit.target" ];
          restartIfChanged = false;
        };
        # What a switch restarts so that tmpfiles rules of the new system are applied.
        systemd-tmpfiles-resetup = {
          description = "Re-setup tmpfiles on a system that is already running.";
          requiredBy = [ "sysinit-reactivation.target" ];
          after = [ "local-fs.target" "systemd-journald.service" ];
          before = [
            "sysinit-reactivation.target"
            "shutdown.target"
          ];
          conflicts = [ "shutdown.target" ];
          restartTriggers = config.systemd.tmpfiles.rules;
          unitConfig.DefaultDependencies = false;
          serviceConfig = {
            Type = "oneshot";
            RemainAfterExit = true;
            ExecStart = "${package}/bin/systemd-tmpfiles --create --remove --exclude-prefix=/dev";
            SuccessExitStatus = "DATAERR CANTCREAT";
          };
        };
      };
    systemd.targets.sysinit-reactivation = {
      description = "Reactivate sysinit units";
      unitConfig.RefuseManualStart = false;
    };
    systemd.sockets.dbus.wantedBy = [ "sockets.target" ];
    systemd.sockets.systemd-journald.wantedBy = [ "sockets.target" ];
    systemd.sockets.systemd-journald-dev-log.wantedBy = [ "sockets.target" ];
    systemd.timers.systemd-tmpfiles-clean.wantedBy = [ "timers.target" ];

    environment.etc."systemd/journald.conf".text = ''
      [Journal]
      Storage=persistent
      RateLimitInterval=30s
      RateLimitBurst=10000
    '';
    users.users.messagebus = {
      uid = 4;
      isSystemUser = true;
      group = "messagebus";
      description = "D-Bus system message bus daemon user";
      home = "/run/dbus";
    };
    users.groups.messagebus.gid = 4;
  };
}
