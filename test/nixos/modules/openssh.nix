{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) types mkOption;
  cfg = config.services.openssh;
  nullable = type: default: description: mkOption {
    type = types.nullOr type;
    inherit default description;
  };
  list = default: description: mkOption {
    type = types.listOf types.str;
    inherit default description;
  };
  shown =
    v:
    if v == true then
      "yes"
    else if v == false then
      "no"
    else if builtins.isList v then
      toString v
    else
      toString v;
  configText =
    lib.concatMapStrings (port: "Port ${toString port}\n") cfg.ports
    + lib.concatMapStrings (key: "HostKey ${key.path}\n") cfg.hostKeys
    + lib.concatStrings (lib.mapAttrsToList (name: v: lib.optionalString (v != null) "${name} ${shown v}\n") cfg.settings)
    + "AuthorizedKeysFile ${toString cfg.authorizedKeysFiles}\n"
    + lib.optionalString cfg.allowSFTP "Subsystem sftp internal-sftp\n"
    + cfg.extraConfig;
  withKeys = lib.filterAttrs (
    _: u: u.openssh.authorizedKeys.keys != [ ] || u.openssh.authorizedKeys.keyFiles != [ ]
  ) config.users.users;
in
{
  options.services.openssh = {
    enable = mkOption {
      type = types.bool;
      default = false;
      description = "Whether to enable the OpenSSH secure shell daemon.";
    };
    package = mkOption {
      type = types.package;
      default = pkgs.openssh;
      description = "The OpenSSH package.";
    };
    ports = mkOption {
      type = types.listOf (types.ints.between 0 65535);
      default = [ 22 ];
      description = "Ports that the daemon listens on.";
    };
    openFirewall = mkOption {
      type = types.bool;
      default = true;
      description = "Whether these ports are open.";
    };
    allowSFTP = mkOption {
      type = types.bool;
      default = true;
      description = "Whether SFTP is served.";
    };
    hostKeys = mkOption {
      type = types.listOf types.attrs;
      # NixOS makes an RSA key as well; here it would only cost seconds of every first boot.
      default = [
        {
          type = "ed25519";
          path = "/etc/ssh/ssh_host_ed25519_key";
        }
      ];
      description = "Host keys; those that are missing are made.";
    };
    authorizedKeysFiles = list [ ] "Files with keys that may log in.";
    authorizedKeysInHomedir = mkOption {
      type = types.bool;
      default = true;
      description = "Whether ~/.ssh/authorized_keys counts.";
    };
    extraConfig = mkOption {
      type = types.lines;
      default = "";
      description = "Further text of sshd_config(5).";
    };
    settings = mkOption {
      type = types.submodule {
        freeformType = types.attrsOf types.unspecified // {
          description = "attribute set of unspecified value";
        };
        options = {
          PermitRootLogin = nullable (types.enum [
            "yes"
            "without-password"
            "prohibit-password"
            "forced-commands-only"
            "no"
          ]) "prohibit-password" "Whether root may log in.";
          PasswordAuthentication = nullable types.bool true "Whether passwords are accepted.";
          KbdInteractiveAuthentication = nullable types.bool true "Whether PAM may ask.";
          UsePAM = nullable types.bool true "Whether PAM is used.";
          PrintMotd = nullable types.bool false "Whether /etc/motd is shown.";
          StrictModes = nullable types.bool true "Whether modes of keys are checked.";
          UseDns = nullable types.bool false "Whether names are looked up.";
          X11Forwarding = nullable types.bool false "Whether X11 is forwarded.";
          AllowUsers = nullable (types.listOf types.str) null "Who may log in.";
          AllowGroups = nullable (types.listOf types.str) null "Who may log in.";
          DenyUsers = nullable (types.listOf types.str) null "Who may not.";
          DenyGroups = nullable (types.listOf types.str) null "Who may not.";
          LogLevel = nullable (types.enum [
            "QUIET"
            "FATAL"
            "ERROR"
            "INFO"
            "VERBOSE"
            "DEBUG"
            "DEBUG1"
            "DEBUG2"
            "DEBUG3"
          ]) "INFO" "How much is logged.";
        };
      };
      default = { };
      description = "Settings of sshd_config(5).";
    };
  };
  config = lib.mkIf cfg.enable {
    services.openssh.authorizedKeysFiles =
      lib.optional cfg.authorizedKeysInHomedir "%h/.ssh/authorized_keys"
      ++ [ "/etc/ssh/authorized_keys.d/%u" ];
    networking.firewall.allowedTCPPorts = lib.mkIf cfg.openFirewall cfg.ports;
    users.users.sshd = {
      uid = 74;
      isSystemUser = true;
      group = "sshd";
      description = "SSH privilege separation user";
    };
    users.groups.sshd.gid = 74;
    environment.etc = {
      "ssh/sshd_config".text = configText;
    }
    // lib.mapAttrs' (
      name: u:
      lib.nameValuePair "ssh/authorized_keys.d/${name}" {
        mode = "0444";
        text =
          lib.concatMapStrings (key: "${key}\n") u.openssh.authorizedKeys.keys
          + lib.concatMapStrings (file: builtins.readFile file + "\n") u.openssh.authorizedKeys.keyFiles;
      }
    ) withKeys;
    systemd.services.sshd-keygen = {
      description = "SSH Host Keys Generation";
      wantedBy = [ "multi-user.target" ];
      before = [ "sshd.service" ];
      path = [ cfg.package ];
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = true;
      };
      script = lib.concatMapStrings (key: ''
        if ! [ -s ${lib.escapeShellArg key.path} ]; then
          mkdir -p "$(dirname ${lib.escapeShellArg key.path})"
          ssh-keygen -t ${lib.escapeShellArg key.type} -f ${lib.escapeShellArg key.path} -N ""
        fi
      '') cfg.hostKeys;
    };
    systemd.services.sshd = {
      description = "SSH Daemon";
      wantedBy = [ "multi-user.target" ];
      wants = [ "sshd-keygen.service" ];
      after = [
        "network.target"
        "sshd-keygen.service"
      ];
      stopIfChanged = false;
      path = [
        cfg.package
        pkgs.gawk
      ];
      restartTriggers = [ config.environment.etc."ssh/sshd_config".source ];
      serviceConfig = {
        Type = "notify";
        ExecStart = "${cfg.package}/bin/sshd -D -f /etc/ssh/sshd_config";
        ExecReload = "${pkgs.procps}/bin/kill -HUP $MAINPID";
        KillMode = "process";
        Restart = "always";
      };
    };
  };
}
