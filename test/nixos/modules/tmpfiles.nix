{
  config,
  lib,
  pkgs,
  ...
}:
{
  options.systemd.tmpfiles.rules = lib.mkOption {
    type = lib.types.listOf lib.types.str;
    default = [ ];
    description = "Lines of tmpfiles.d(5).";
  };
  config = {
    systemd.tmpfiles.rules = [
      "d /var/log/journal 2755 root root -"
      "d /var/tmp 1777 root root 30d"
      "F! /run/utmp 0664 root root -"
    ];
    environment.etc."tmpfiles.d/00-nixos.conf".text = lib.concatMapStrings (rule: "${rule}\n") config.systemd.tmpfiles.rules;
  };
}
