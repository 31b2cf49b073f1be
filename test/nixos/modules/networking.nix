{ config, lib, ... }:
let
  inherit (lib) types mkOption;
  cfg = config.networking;
  flag = default: description: mkOption {
    type = types.bool;
    inherit default description;
  };
  addresses = mkOption {
    type = types.listOf (
      types.submodule {
        options.address = mkOption {
          type = types.str;
          description = "The address.";
        };
        options.prefixLength = mkOption {
          type = types.int;
          description = "Bits of the network.";
        };
      }
    );
    default = [ ];
    description = "Addresses.";
  };
  interface.options = {
    ipv4 = { inherit addresses; };
    ipv6 = { inherit addresses; };
    useDHCP = mkOption {
      type = types.nullOr types.bool;
      default = null;
      description = "Whether it asks for addresses by DHCP.";
    };
  };
in
{
  options.networking = {
    hostName = mkOption {
      type = types.strMatching "^$|^[[:alnum:]]([[:alnum:]_-]{0,61}[[:alnum:]])?$";
      default = "nixos";
      description = "The host's name; empty leaves it to whoever starts the machine.";
    };
    domain = mkOption {
      type = types.nullOr types.str;
      default = null;
      description = "The host's domain.";
    };
    useDHCP = flag true "Whether all interfaces ask for addresses by DHCP.";
    useNetworkd = flag false "Whether systemd-networkd does what scripts did.";
    interfaces = mkOption {
      type = types.attrsOf (types.submodule interface);
      default = { };
      description = "Interfaces, one by one. Without networkd nothing reads this here.";
    };
    dhcpcd.denyInterfaces = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "Interfaces that dhcpcd leaves alone. There is none here.";
    };
    nameservers = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "DNS servers.";
    };
    hosts = mkOption {
      type = types.attrsOf (types.listOf types.str);
      default = { };
      description = "Names by address, for /etc/hosts.";
    };
    enableIPv6 = lib.mkOption {
      type = lib.types.bool;
      default = true;
      description = "Whether IPv6 is there.";
    };
    extraHosts = mkOption {
      type = types.lines;
      default = "";
      description = "Further lines of /etc/hosts.";
    };
  };
  config = {
    systemd.network.networks = lib.mkIf cfg.useNetworkd (
      lib.mapAttrs' (
        name: i:
        lib.nameValuePair "40-${name}" {
          inherit name;
          DHCP = lib.mkIf (i.useDHCP == true) "yes";
          address = map (a: "${a.address}/${toString a.prefixLength}") (i.ipv4.addresses ++ i.ipv6.addresses);
        }
      ) cfg.interfaces
    );
    networking.hosts = {
      "127.0.0.1" = [ "localhost" ];
      "::1" = [ "localhost" ];
      "127.0.0.2" = lib.optional (cfg.hostName != "") cfg.hostName;
    };
    environment.etc.hosts.text =
      lib.concatStrings (
        lib.mapAttrsToList (
          address: names: lib.optionalString (names != [ ]) "${address} ${toString names}\n"
        ) cfg.hosts
      )
      + cfg.extraHosts;
    # NixOS has IANA's. nft(8) prints protocols by these names, and kube-proxy compares what it reads with names.
    environment.etc.protocols.text = ''
      icmp 1 ICMP
      tcp 6 TCP
      udp 17 UDP
      ipv6-icmp 58 IPv6-ICMP
      sctp 132 SCTP
    '';
    environment.etc.hostname = lib.mkIf (cfg.hostName != "") { text = cfg.hostName + "\n"; };
    # NixOS tells the running kernel, too; systemd does at boot.
    system.activationScripts.hostname = {
      deps = [ "etc" ];
      text = lib.optionalString (cfg.hostName != "") ''
        [ ! -d /run/systemd/system ] || hostname ${lib.escapeShellArg cfg.hostName} || true
      '';
    };
  };
}
