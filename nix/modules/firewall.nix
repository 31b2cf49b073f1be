# Who may reach what on a node: everybody, the other nodes, or pods. NixOS's own firewall filters, with rules from here; a
# table of ours, `inet firn`, recognizes other nodes and marks what they send, keeps strangers from passing for pods, and
# translates addresses of pods. Which nodes there are is no part of the system: firn-firewall.service reads it from files.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) types mkOption;
  inherit (config.firn) mesh network;
  cfg = config.firn.firewall;
  rules = import ./firewall/rules.nix { inherit lib mesh network cfg; };

  ports = who: mkOption {
    type = types.submodule {
      options = lib.genAttrs [ "tcp" "udp" ] (
        protocol:
        mkOption {
          type = types.listOf types.port;
          default = [ ];
          description = "Ports of ${lib.toUpper protocol} that are open to ${who}.";
        }
      );
    };
    default = { };
    description = "What is open to ${who}, at any address of this host.";
  };
  chains = pkgs.writeText "firn-chains.nft" rules.chains;
  script = pkgs.writeShellScript "firn-firewall" (builtins.readFile ./firewall/load.sh);
  file = default: description: mkOption {
    type = types.path;
    inherit default;
    apply = toString;
    description = "${description} `firn-firewall.service` is to be reloaded when it changes.";
  };
in
{
  options.firn.firewall = {
    enable = mkOption {
      type = types.bool;
      default = network.enable;
      defaultText = lib.literalExpression "config.firn.network.enable";
      description = "Whether to filter what reaches this host and its pods.";
    };
    fromAnywhere = ports "everyone";
    fromNodes = ports "other nodes, but not to pods";
    fromPods = ports "pods of any node, and to nodes";
    nodeAddressesFile = file "/run/firn/current/data/node-addresses" "Addresses of the other nodes outside of pods' networks, one a line.";
    hostsFile = file "/run/firn/current/data/hosts" "hosts(5) with the addresses of all nodes in pods' networks.";
    listenersFile = mkOption {
      type = types.nullOr types.path;
      default = null;
      apply = file: if file == null then null else toString file;
      description = ''
        A file with lines `bind NAME ADDRESS PORT`: TCP ports that are open to everyone at that address of this host, or at
        each of them where it is `*`. `firn-firewall.service` is to be reloaded when it changes.
      '';
    };
  };

  config = lib.mkIf cfg.enable {
    networking.nftables.enable = true;
    networking.firewall = {
      filterForward = true;
      allowedTCPPorts = cfg.fromAnywhere.tcp;
      allowedUDPPorts = cfg.fromAnywhere.udp;
      extraInputRules = rules.input;
      extraForwardRules = rules.forward;
    };
    environment.etc."firn/data-units".text = ''
      hosts reload firn-firewall.service
      node-addresses reload firn-firewall.service
    '';
    systemd.services.firn-firewall = {
      description = "Other nodes and pods, as the firewall knows them";
      documentation = [ "man:nft(8)" ];
      wantedBy = [
        "sysinit.target"
        "multi-user.target"
      ];
      wants = [ "network-pre.target" ];
      before = [
        "network-pre.target"
        "shutdown.target"
      ];
      after = [
        "firn-secrets.service"
        "systemd-modules-load.service"
      ];
      conflicts = [ "shutdown.target" ];
      path = with pkgs; [
        gawk
        nftables
      ];
      environment = {
        FIRN_NODE_ADDRESSES = cfg.nodeAddressesFile;
        FIRN_HOSTS = cfg.hostsFile;
        FIRN_LISTENERS = lib.optionalString (cfg.listenersFile != null) cfg.listenersFile;
        FIRN_CHAINS = "${chains}";
      };
      # No moment without rules.
      reloadIfChanged = true;
      unitConfig.DefaultDependencies = false;
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = true;
        ExecStart = "${script} load";
        ExecReload = "${script} load";
        ExecStop = "${script} unload";
        TimeoutStartSec = "30s";
      };
    };

    assertions = [
      {
        assertion = network.enable;
        message = "firn.firewall.enable needs firn.network.enable: it tells pods from others by their networks.";
      }
      {
        assertion = config.networking.firewall.enable;
        message = "firn.firewall relies on NixOS's firewall, but networking.firewall.enable is false. Remove that definition, or set firn.firewall.enable = false and see to it yourself who reaches pods.";
      }
      {
        assertion = !config.networking.nftables.flushRuleset;
        message = "networking.nftables.flushRuleset is true: each change of the firewall would take away the rules of firn.firewall, of kube-proxy and of network plugins. Set it to false.";
      }
    ];
  };
}
