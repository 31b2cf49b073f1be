# Delivered files may belong to users that the very system which is being switched to creates: after it made them, and
# before it starts units, the deployment's program gives the files to them. Without a deployment under way there is no
# such program, and nothing happens.
{ config, lib, ... }:
{
  config = lib.mkIf config.firn.host.enable {
    system.activationScripts.firnFileOwners = {
      deps = [ "users" ];
      text = ''
        if [ -e /run/firn/program ]; then /bin/sh /run/firn/program own </dev/null || true; fi
      '';
    };
  };
}
