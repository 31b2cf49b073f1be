# Debian's PAM modules, configured as little as services here need. Not an option: modules do not set it.
# Accounts are not asked of pam_unix: it runs a helper by a path compiled into it, which is not there.
{ lib, ... }:
let
  service = {
    text = ''
      auth sufficient pam_rootok.so
      auth required pam_unix.so
      account required pam_permit.so
      password required pam_unix.so
      session required pam_limits.so
      session required pam_unix.so
      session optional pam_systemd.so
    '';
  };
  names = [
    "login"
    "other"
    "sshd"
    "su"
    "sudo"
    "systemd-user"
  ];
in
{
  environment.etc = lib.listToAttrs (map (name: lib.nameValuePair "pam.d/${name}" service) names) // {
    "security/limits.conf".text = "";
    "login.defs".text = ''
      UID_MIN 1000
      UID_MAX 29999
      GID_MIN 1000
      GID_MAX 29999
      UMASK 077
      ENCRYPT_METHOD YESCRYPT
    '';
    "nsswitch.conf".text = ''
      passwd: files systemd
      group: files systemd
      shadow: files
      hosts: mymachines resolve [!UNAVAIL=return] files myhostname dns
      networks: files
      services: files
      protocols: files
    '';
  };
}
