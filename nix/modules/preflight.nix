# /etc/firn/preflight: what this system takes for granted of the machine, for a comparison with the running one before
# the first deployment. Lines of words separated by one space; in a word, space, tab, newline and backslash stand as
# \040 \011 \012 \134, as in /proc/self/mounts. The first line names the format. An unknown first word is to be skipped.
#
#   firn-preflight 1
#   fs MOUNTPOINT DEVICE FSTYPE        every file system of fileSystems, sorted by mount point; DEVICE is `-` where the type
#                                      has none, else a path or TAG=value as in fstab(5)
#   loader systemd-boot|grub|none      none: neither; this system cannot say how it boots
#   loader-device DEVICE               with grub: each device that it is installed on; `nodev` for EFI alone
#   esp MOUNTPOINT                     with systemd-boot, or grub with EFI: where the EFI system partition is mounted
#   initrd-module NAME                 kernel modules in the initial ramdisk, from either option, sorted
#   network-backend networkd|scripts   who configures the network
#   network dhcp IFNAME -              IFNAME asks for addresses by DHCP; it may be a pattern, `*` for any
#   network static IFNAME ADDRESS/LEN  IFNAME has this address
#   ssh-port PORT                      where this system's sshd listens, one line each
{ config, lib, ... }:
let
  word =
    x:
    builtins.replaceStrings [ "\\" " " "\t" "\n" ] [ "\\134" "\\040" "\\011" "\\012" ] (toString x);
  line = words: lib.concatMapStringsSep " " word words + "\n";
  lines = lib.concatMapStrings line;
  sorted = list: builtins.sort builtins.lessThan (lib.unique list);

  fileSystems = builtins.sort (a: b: a.mountPoint < b.mountPoint) (
    builtins.attrValues config.fileSystems
  );

  inherit (config.boot) loader;
  grubDevices = lib.unique (lib.optional (loader.grub.device != "") loader.grub.device ++ loader.grub.devices);
  loaderLines =
    if loader.systemd-boot.enable then
      [
        [ "loader" "systemd-boot" ]
        [ "esp" loader.efi.efiSysMountPoint ]
      ]
    else if loader.grub.enable then
      [ [ "loader" "grub" ] ]
      ++ map (device: [ "loader-device" device ]) grubDevices
      ++ lib.optional loader.grub.efiSupport [ "esp" loader.efi.efiSysMountPoint ]
    else
      [ [ "loader" "none" ] ];

  dhcp = name: [ "network" "dhcp" name "-" ];
  static = name: address: [ "network" "static" name address ];
  fromInterface =
    name: interface:
    lib.optional (interface.useDHCP == true) (dhcp name)
    ++ map (a: static name "${a.address}/${toString a.prefixLength}") (
      interface.ipv4.addresses ++ interface.ipv6.addresses
    );
  # A .network file that matches otherwise than by name may be any interface's.
  namesOf =
    network:
    let
      matched = lib.toList (network.matchConfig.Name or [ ]);
      all = if network.name or null != null then [ network.name ] else lib.concatMap (lib.splitString " ") matched;
    in
    if all == [ ] then [ "*" ] else all;
  addressesOf =
    network:
    network.address
    ++ lib.toList (network.networkConfig.Address or [ ])
    ++ lib.concatMap (a: lib.toList (a.Address or [ ])) network.addresses;
  # systemd.network(5): DHCP= takes a boolean, `ipv4` or `ipv6`.
  isOn = value: builtins.elem value [ true "yes" "true" "on" "1" "ipv4" "ipv6" ];
  asksDhcp = network: isOn network.DHCP || isOn (network.networkConfig.DHCP or null);
  fromNetwork =
    network:
    lib.concatMap (
      name: lib.optional (asksDhcp network) (dhcp name) ++ map (static name) (addressesOf network)
    ) (namesOf network);

  networkd = config.systemd.network.enable;
  networkLines =
    lib.optional config.networking.useDHCP (dhcp "*")
    ++ lib.concatLists (lib.mapAttrsToList fromInterface config.networking.interfaces)
    ++ lib.optionals networkd (
      lib.concatMap fromNetwork (builtins.filter (n: n.enable) (builtins.attrValues config.systemd.network.networks))
    );
in
{
  config = lib.mkIf config.firn.host.enable {
    environment.etc."firn/preflight".text = lines (
      [ [ "firn-preflight" 1 ] ]
      ++ map (fs: [
        "fs"
        fs.mountPoint
        (if fs.device == null then "-" else fs.device)
        fs.fsType
      ]) fileSystems
      ++ loaderLines
      ++ map (name: [ "initrd-module" name ]) (
        sorted (config.boot.initrd.availableKernelModules ++ config.boot.initrd.kernelModules)
      )
      ++ [ [ "network-backend" (if networkd then "networkd" else "scripts") ] ]
      ++ lib.unique networkLines
      ++ map (port: [ "ssh-port" port ]) (sorted config.services.openssh.ports)
    );
  };
}
