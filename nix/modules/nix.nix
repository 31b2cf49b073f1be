# Systems are built on the host itself, from a flake.
{ config, lib, ... }:
let
  inherit (config.firn.host) enable ssh;
in
{
  config = lib.mkIf enable {
    nix.settings = {
      experimental-features = [
        "nix-command"
        "flakes"
      ];
      # No more than sudo gives already; closures can be copied in without signatures.
      trusted-users = [ ssh.user ];
    };
    assertions = [
      {
        assertion = config.nix.enable;
        message = "firn.host needs Nix to build the next system, but nix.enable is false. Remove that definition, or set firn.host.enable = false.";
      }
    ];
  };
}
