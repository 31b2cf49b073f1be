import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execute } from './command.ts';
import { type Layer, layer } from './layer.ts';
import { confined } from './offline.ts';
import { imageCache } from './paths.ts';

export const debianSuite = 'trixie';

/** debootstrap does not follow "recommends", and nix-bin's configuration fails without the two perl modules. */
const packages = [
  ...['systemd', 'systemd-sysv', 'systemd-resolved', 'dbus', 'libnss-systemd', 'libpam-systemd'],
  ...['openssh-server', 'sudo', 'nix-bin', 'libdbi-perl', 'libdbd-sqlite3-perl'],
  ...['iproute2', 'nftables', 'wireguard-tools', 'iputils-ping', 'ca-certificates'],
  ...[
    'procps',
    'kmod',
    'busybox-static',
    'zstd',
    'xz-utils',
    'less',
    'jq',
    'runc',
    'haproxy',
    'socat',
    'iptables',
  ],
];

/** What a host never needs; it makes the image a third smaller. */
const superfluous = [
  'usr/share/doc',
  'usr/share/man',
  'usr/share/locale',
  'var/cache/apt',
  'var/lib/apt/lists',
];

/**
 * Debian as debootstrap leaves it, without what must differ from host to host. About a minute the first time; it is
 * also kept as a compressed archive, which is what a CI cache should keep.
 */
export function debianBase(): Promise<Layer> {
  const content = JSON.stringify([debianSuite, packages, superfluous]);
  const hash = createHash('sha256').update(content).digest('hex').slice(0, 16);
  const archive = join(imageCache(), `debian-${hash}.tar.zst`);
  return layer('debian', content, undefined, async (root) => {
    if (existsSync(archive)) {
      await execute('tar', ['-C', root, '--zstd', '-xpf', archive], { timeoutMs: 120_000 });
      return;
    }
    await debootstrap(root);
    await execute('tar', ['-C', root, '--zstd', '-cpf', `${archive}.new`, '.'], { timeoutMs: 300_000 });
    renameSync(`${archive}.new`, archive);
  });
}

async function debootstrap(root: string): Promise<void> {
  const command = ['debootstrap', '--variant=minbase', `--include=${packages.join(',')}`, debianSuite, root];
  await confined(command, { timeoutMs: 15 * 60_000 });
  for (const path of superfluous) rmSync(join(root, path), { recursive: true, force: true });
  for (const path of ['etc/machine-id', 'var/lib/dbus/machine-id', 'etc/resolv.conf', 'etc/hostname'])
    rmSync(join(root, path), { force: true });
  await execute('sh', ['-c', 'rm -f "$1"/etc/ssh/ssh_host_*', 'sh', root], { timeoutMs: 5_000 });
}

const wanted = ['systemd-networkd', 'systemd-resolved', 'ssh'];
const unwanted = [
  ...['systemd-networkd-wait-online.service', 'systemd-timesyncd.service', 'fstrim.timer'],
  ...['apt-daily.timer', 'apt-daily-upgrade.timer', 'dpkg-db-backup.timer', 'e2scrub_all.timer'],
  ...['getty.target', 'console-getty.service', 'nix-daemon.service', 'nix-daemon.socket'],
];

const sshd = `PermitRootLogin prohibit-password
PasswordAuthentication no
UseDNS no
HostKey /etc/ssh/ssh_host_ed25519_key
`;

/** Root alone builds, nothing is fetched: hosts have no way to the outside. */
const nixConf = `experimental-features = nix-command flakes
build-users-group =
sandbox = false
substituters =
`;

/** A plain Debian that runs sshd, networkd, resolved, and has Nix. */
export async function debianHost(): Promise<Layer> {
  const base = await debianBase();
  const content = JSON.stringify([wanted, unwanted, sshd, nixConf]);
  return layer('debian-host', content, base, async (root) => {
    const systemctl = (...args: string[]) =>
      execute('chroot', [root, 'systemctl', '-q', ...args], { timeoutMs: 30_000 });
    await systemctl('enable', ...wanted);
    await systemctl('mask', ...unwanted);
    writeFileSync(join(root, 'etc/ssh/sshd_config.d/10-host.conf'), sshd);
    mkdirSync(join(root, 'etc/nix'), { recursive: true });
    writeFileSync(join(root, 'etc/nix/nix.conf'), nixConf);
    symlinkSync('../run/systemd/resolve/stub-resolv.conf', join(root, 'etc/resolv.conf'));
  });
}
