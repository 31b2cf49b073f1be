# /etc/firn/formats.json: the formats of fleet data and of secrets that this system can read. A deployment that brings
# another is refused before anything is changed.
{ config, lib, ... }:
{
  config = lib.mkIf config.firn.host.enable {
    environment.etc."firn/formats.json".text = builtins.toJSON {
      data = [ 1 ];
      secrets = [ 1 ];
    };
  };
}
