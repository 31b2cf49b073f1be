{ config, lib, ... }:
{
  options.time.timeZone = lib.mkOption {
    type = lib.types.nullOr (lib.types.strMatching "[^ ]*" // { description = "string"; descriptionClass = "noun"; });
    default = null;
    description = "The time zone; null leaves it to timedatectl.";
  };
  options.i18n.defaultLocale = lib.mkOption {
    type = lib.types.str;
    default = "en_US.UTF-8";
    description = "The locale of the system.";
  };
  config = lib.mkIf (config.time.timeZone != null) {
    environment.etc.localtime.source = "/usr/share/zoneinfo/${config.time.timeZone}";
  };
}
