{ lib, ... }:
{
  options.firn.host.enable = lib.mkOption {
    type = lib.types.bool;
    default = false;
    example = true;
    description = ''
      Whether this host is deployed from outside, over SSH: keeps the way in open, gives what a deployment relies on
      (Nix with flakes, the unit that fills in secrets at boot), and refuses configurations that would lock it out.
    '';
  };
}
