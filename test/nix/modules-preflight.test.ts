import { evaluateHost } from '../support/stand-in.ts';

async function preflight(module: string): Promise<string[]> {
  const managed = `{ imports = [ (${module}) ]; firn.host = { enable = true; ssh.authorizedKeys = [ "ssh-ed25519 AAAA" ]; }; }`;
  const text = await evaluateHost(managed, 'checked config.environment.etc."firn/preflight".text');
  return (text as string).split('\n');
}

test('a bare host', async () => {
  expect(await preflight('{ }')).toEqual([
    'firn-preflight 1',
    'fs / /dev/disk/by-label/nixos ext4',
    'loader systemd-boot',
    'esp /boot',
    'network-backend networkd',
    'ssh-port 22',
    '',
  ]);
});

test('file systems by mount point, words escaped as in /proc/self/mounts', async () => {
  const lines = await preflight(`{
    fileSystems."/var/with space" = { device = "/dev/b\\\\c"; fsType = "xfs"; };
    fileSystems."/boot" = { label = "ESP"; fsType = "vfat"; };
  }`);
  expect(lines.filter((line) => line.startsWith('fs '))).toEqual([
    'fs / /dev/disk/by-label/nixos ext4',
    'fs /boot /dev/disk/by-label/ESP vfat',
    'fs /var/with\\040space /dev/b\\134c xfs',
  ]);
});

test('grub, with its disks', async () => {
  const lines = await preflight(`{ lib, ... }: {
    boot.loader.systemd-boot.enable = lib.mkForce false;
    boot.loader.grub = { device = "/dev/vda"; devices = [ "/dev/vda" "/dev/vdb" ]; };
  }`);
  expect(lines.filter((line) => line.includes('loader') || line.startsWith('esp'))).toEqual([
    'loader grub',
    'loader-device /dev/vda',
    'loader-device /dev/vdb',
  ]);
});

test('the kernel modules of a generated hardware configuration', async () => {
  const lines = await preflight(`{ modulesPath, ... }: {
    imports = [ (modulesPath + "/profiles/qemu-guest.nix") ];
    boot.initrd.availableKernelModules = [ "ahci" "virtio_blk" ];
    boot.initrd.kernelModules = [ "dm-snapshot" ];
  }`);
  const modules = lines.filter((line) => line.startsWith('initrd-module ')).map((line) => line.split(' ')[1]);
  expect(modules).toEqual([...modules].sort());
  expect(modules).toEqual(expect.arrayContaining(['ahci', 'dm-snapshot', 'virtio_blk', 'virtio_net']));
  expect(new Set(modules).size).toBe(modules.length);
});

test('addresses from all the places where NixOS has them', async () => {
  const lines = await preflight(`{
    networking.interfaces.eth0.ipv4.addresses = [ { address = "192.0.2.11"; prefixLength = 24; } ];
    systemd.network.networks."20-a" = { matchConfig.Name = "en* eth*"; DHCP = "ipv4"; };
    systemd.network.networks."30-b" = {
      name = "wg0";
      addresses = [ { Address = "2001:db8::1/64"; } ];
      networkConfig.Address = [ "198.51.100.1/32" ];
    };
    systemd.network.networks."40-c" = { matchConfig.MACAddress = "02:00:00:00:00:01"; address = [ "203.0.113.1/24" ]; };
    systemd.network.networks."50-d" = { enable = false; name = "gone"; DHCP = "yes"; };
  }`);
  expect(lines.filter((line) => line.startsWith('network ')).sort()).toEqual([
    'network dhcp en* -',
    'network dhcp eth* -',
    'network static * 203.0.113.1/24',
    'network static eth0 192.0.2.11/24',
    'network static wg0 198.51.100.1/32',
    'network static wg0 2001:db8::1/64',
  ]);
});

test('without networkd its files do not count', async () => {
  const lines = await preflight(`{ lib, ... }: {
    networking.useNetworkd = lib.mkForce false;
    networking.useDHCP = lib.mkForce true;
    systemd.network.networks."20-a" = { name = "eth0"; address = [ "192.0.2.1/24" ]; };
  }`);
  expect(lines).toContain('network-backend scripts');
  expect(lines.filter((line) => line.startsWith('network '))).toEqual(['network dhcp * -']);
});
