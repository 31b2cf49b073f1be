# Whoever deploys without being root becomes it by sudo, and there is nobody to type a password.
{ config, lib, ... }:
let
  inherit (config.firn.host) enable ssh;
  inherit (config.security) sudo sudo-rs;
  rule = {
    users = [ ssh.user ];
    commands = [
      {
        command = "ALL";
        options = [ "NOPASSWD" ];
      }
    ];
  };
in
{
  config = lib.mkIf (enable && ssh.user != "root") {
    # The last rule that matches counts: sudoers(5).
    security.sudo.extraRules = lib.mkAfter [ rule ];
    security.sudo-rs.extraRules = lib.mkAfter [ rule ];
    assertions = [
      {
        assertion = sudo.enable || sudo-rs.enable;
        message = "firn.host.ssh.user is ${ssh.user}, who needs sudo to deploy, but security.sudo.enable is false. Enable it (or security.sudo-rs), or deploy as root.";
      }
    ];
  };
}
