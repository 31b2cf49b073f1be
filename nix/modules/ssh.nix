# The way in: who logs in, with which keys, at which port. What would close it is refused when the system is evaluated.
{ config, lib, ... }:
let
  cfg = config.firn.host.ssh;
  sshd = config.services.openssh;
  firewall = config.networking.firewall;
  isRoot = cfg.user == "root";

  # AllowUsers and DenyUsers are lists of USER or USER@HOST, either with wildcards: sshd_config(5).
  named = pattern: builtins.head (lib.splitString "@" pattern) == cfg.user;
  mayMatch = pattern: named pattern || lib.hasInfix "*" pattern || lib.hasInfix "?" pattern;
  keysAccepted = !builtins.elem (sshd.settings.PubkeyAuthentication or true) [
    false
    "no"
  ];
  # Local forwarding is what it takes: sshd_config(5).
  forwards =
    builtins.elem (sshd.settings.AllowTcpForwarding or true) [
      true
      "yes"
      "all"
      "local"
    ]
    && builtins.elem (sshd.settings.DisableForwarding or false) [
      false
      "no"
    ];
  fix = "Or set firn.host.enable = false if nothing is to log in to this host.";
in
{
  options.firn.host.ssh = {
    user = lib.mkOption {
      type = lib.types.strMatching "[a-z_][a-z0-9_-]{0,31}";
      default = "root";
      description = ''
        The user as whom deployments log in. Any other than root is made a normal user, unless it is declared
        otherwise, and may use sudo without a password.
      '';
    };
    port = lib.mkOption {
      type = lib.types.port;
      default = 22;
      description = ''
        The port on this host. Where something in between forwards another port to it, this is not that port.
      '';
    };
    authorizedKeys = lib.mkOption {
      type = lib.types.listOf lib.types.singleLineStr;
      default = [ ];
      example = [ "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI… firn" ];
      description = "Public keys that may log in as `firn.host.ssh.user`.";
    };
    openFirewall = lib.mkOption {
      type = lib.types.bool;
      default = true;
      description = ''
        Whether the port is opened in NixOS's firewall for everyone. Without, it is yours to open it for whoever deploys.
      '';
    };
  };

  config = lib.mkIf config.firn.host.enable {
    services.openssh = {
      enable = true;
      ports = [ cfg.port ];
      settings.PermitRootLogin = lib.mkIf isRoot (lib.mkDefault "prohibit-password");
    };
    networking.firewall.allowedTCPPorts = lib.mkIf cfg.openFirewall [ cfg.port ];
    users.users.${cfg.user} = lib.mkMerge [
      { openssh.authorizedKeys.keys = cfg.authorizedKeys; }
      (lib.mkIf (!isRoot) {
        isNormalUser = lib.mkIf (!config.users.users.${cfg.user}.isSystemUser) (lib.mkDefault true);
      })
    ];

    assertions = [
      {
        assertion = cfg.authorizedKeys != [ ];
        message = "firn.host.ssh.authorizedKeys is empty: nobody could log in to deploy to this host. Add the public key that belongs to the private key of the deployments. ${fix}";
      }
      {
        assertion = sshd.enable;
        message = "firn.host needs an SSH server, but services.openssh.enable is forced to false. Remove that definition. ${fix}";
      }
      {
        assertion = builtins.elem cfg.port sshd.ports;
        message = "firn.host.ssh.port is ${toString cfg.port}, but services.openssh.ports is forced to ${toString sshd.ports}. Remove that definition or change firn.host.ssh.port.";
      }
      {
        assertion =
          cfg.openFirewall -> !firewall.enable || builtins.elem cfg.port firewall.allowedTCPPorts;
        message = "networking.firewall.allowedTCPPorts is forced to a list without ${toString cfg.port}, the port of SSH. Add it, or set firn.host.ssh.openFirewall = false and open it for whoever deploys.";
      }
      {
        assertion =
          isRoot
          -> builtins.elem sshd.settings.PermitRootLogin [
            null
            "yes"
            "prohibit-password"
            "without-password"
          ];
        message = "firn.host.ssh.user is root, but services.openssh.settings.PermitRootLogin is \"${toString sshd.settings.PermitRootLogin}\". Make it \"prohibit-password\", or deploy as another user.";
      }
      {
        assertion = keysAccepted;
        message = "Deployments log in with a key, but services.openssh.settings.PubkeyAuthentication is off. Remove that definition. ${fix}";
      }
      {
        assertion = config.firn.kubernetes.isControlPlane -> forwards;
        message = "The cluster's API and etcd are reached through the SSH server of this host, but services.openssh.settings forbids TCP forwarding (AllowTcpForwarding, DisableForwarding). Remove that definition.";
      }
      {
        assertion = sshd.settings.AllowUsers == null || builtins.any mayMatch sshd.settings.AllowUsers;
        message = "services.openssh.settings.AllowUsers does not have ${cfg.user}, who deploys to this host (firn.host.ssh.user). Add it.";
      }
      {
        assertion = sshd.settings.DenyUsers == null || !builtins.any named sshd.settings.DenyUsers;
        message = "services.openssh.settings.DenyUsers has ${cfg.user}, who deploys to this host (firn.host.ssh.user). Remove it.";
      }
    ];
  };
}
