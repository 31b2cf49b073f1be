# systemd-networkd. Links (udev) and most sections are left out until a module needs them.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) types mkOption;
  unit = import ./systemd/types.nix { inherit lib; };
  cfg = config.systemd.network;
  settings = unit.settings "Settings of the section of this name.";
  sections = mkOption {
    type = types.listOf (types.attrsOf unit.unitOption);
    default = [ ];
    description = "Sections of this name.";
  };
  strings = mkOption {
    type = types.listOf types.str;
    default = [ ];
    description = "Entries of [Network].";
  };
  enable = mkOption {
    type = types.bool;
    default = true;
    description = "Whether this file is made.";
  };
  network.options = {
    inherit enable;
    matchConfig = settings;
    linkConfig = settings;
    networkConfig = settings;
    dhcpV4Config = settings;
    dhcpV6Config = settings;
    ipv6AcceptRAConfig = settings;
    name = mkOption {
      type = types.nullOr types.str;
      default = null;
      description = "Name of the interface.";
    };
    DHCP = mkOption {
      type = types.nullOr types.str;
      default = null;
      description = "Whether to use DHCP.";
    };
    address = strings;
    gateway = strings;
    dns = strings;
    ntp = strings;
    bridge = strings;
    vxlan = strings;
    domains = mkOption {
      type = types.nullOr (types.listOf types.str);
      default = null;
      description = "Domains.";
    };
    addresses = sections;
    routes = sections;
    routingPolicyRules = sections;
  };
  netdev.options = {
    inherit enable;
    netdevConfig = mkOption {
      type = types.attrsOf unit.unitOption;
      description = "Kind and name of the device.";
    };
    bridgeConfig = settings;
    vxlanConfig = settings;
    vlanConfig = settings;
    macvlanConfig = settings;
    tunConfig = settings;
    wireguardConfig = settings;
    wireguardPeers = sections;
  };
  section = name: set: lib.optionalString (set != { }) (unit.section name set);
  repeated = name: lib.concatMapStrings (unit.section name);
  networkText =
    n:
    section "Match" (n.matchConfig // lib.optionalAttrs (n.name != null) { Name = n.name; })
    + section "Link" n.linkConfig
    + unit.section "Network" (
      n.networkConfig
      // lib.optionalAttrs (n.DHCP != null) { inherit (n) DHCP; }
      // lib.filterAttrs (_: values: values != [ ] && values != null) {
        Address = n.address;
        Gateway = n.gateway;
        DNS = n.dns;
        NTP = n.ntp;
        Bridge = n.bridge;
        VXLAN = n.vxlan;
        Domains = if n.domains == null then null else toString n.domains;
      }
    )
    + repeated "Address" n.addresses
    + repeated "Route" n.routes
    + repeated "RoutingPolicyRule" n.routingPolicyRules
    + section "DHCPv4" n.dhcpV4Config
    + section "DHCPv6" n.dhcpV6Config
    + section "IPv6AcceptRA" n.ipv6AcceptRAConfig;
  netdevText =
    n:
    section "NetDev" n.netdevConfig
    + section "Bridge" n.bridgeConfig
    + section "VXLAN" n.vxlanConfig
    + section "VLAN" n.vlanConfig
    + section "MACVLAN" n.macvlanConfig
    + section "Tun" n.tunConfig
    + section "WireGuard" n.wireguardConfig
    + repeated "WireGuardPeer" n.wireguardPeers;
  files =
    suffix: text: set:
    lib.mapAttrs' (name: n: lib.nameValuePair "systemd/network/${name}.${suffix}" { text = text n; }) (
      lib.filterAttrs (_: n: n.enable) set
    );
  all = files "network" networkText cfg.networks // files "netdev" netdevText cfg.netdevs;
in
{
  options.systemd.network = {
    enable = mkOption {
      type = types.bool;
      default = config.networking.useNetworkd;
      description = "Whether to enable networkd.";
    };
    networks = mkOption {
      type = types.attrsOf (types.submodule network);
      default = { };
      description = "Files .network.";
    };
    netdevs = mkOption {
      type = types.attrsOf (types.submodule netdev);
      default = { };
      description = "Files .netdev.";
    };
    config = mkOption {
      type = types.submodule { options.networkConfig = settings; };
      default = { };
      description = "networkd.conf(5).";
    };
    wait-online.enable = mkOption {
      type = types.bool;
      default = true;
      description = "Whether network-online.target waits for an address.";
    };
    wait-online.anyInterface = mkOption {
      type = types.bool;
      default = config.networking.useDHCP;
      description = "Whether one interface is enough.";
    };
  };
  config = lib.mkMerge [
    {
      # NixOS's own catch-all, after everything that names an interface.
      systemd.network.networks."99-ethernet-default-dhcp" = lib.mkIf (config.networking.useNetworkd && config.networking.useDHCP) {
        matchConfig = {
          Type = "ether";
          Kind = "!*";
        };
        DHCP = "yes";
        networkConfig.IPv6PrivacyExtensions = "kernel";
      };
    }
    (lib.mkIf cfg.enable {
      systemd.additionalUpstreamSystemUnits = [
        "systemd-networkd.service"
        "systemd-networkd.socket"
        "systemd-networkd-wait-online.service"
      ];
      environment.etc = all // {
        "systemd/networkd.conf".text = unit.section "Network" cfg.config.networkConfig;
      };
      systemd.services.systemd-networkd = {
        wantedBy = [ "multi-user.target" ];
        aliases = [ "dbus-org.freedesktop.network1.service" ];
        restartTriggers = [ config.environment.etc."systemd/networkd.conf".source ];
        # A switch reloads nothing for a list of triggers that is gone (NixOS compares so). Hosts have a file of their own
        # there; here it is the loader's, and the last of a system's must be seen to go.
        reloadTriggers = [ "networkd" ] ++ map (name: config.environment.etc.${name}.source) (builtins.attrNames all);
        stopIfChanged = false;
      };
      systemd.sockets.systemd-networkd.wantedBy = [ "sockets.target" ];
      systemd.services.systemd-networkd-wait-online = {
        enable = cfg.wait-online.enable;
        wantedBy = [ "network-online.target" ];
        serviceConfig.ExecStart = [
          ""
          "/usr/lib/systemd/systemd-networkd-wait-online${lib.optionalString cfg.wait-online.anyInterface " --any"} --timeout=20"
        ];
      };
      users.users.systemd-network = {
        uid = 152;
        isSystemUser = true;
        group = "systemd-network";
      };
      users.groups.systemd-network.gid = 152;
    })
  ];
}
