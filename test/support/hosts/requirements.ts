import { readFileSync, statSync } from 'node:fs';
import { execute } from './command.ts';
import { say } from './say.ts';

/** Programs by the Debian package that has them. */
export type Programs = Readonly<Record<string, string>>;

/** What the machine that runs tests with hosts needs. */
const ofHosts: Programs = {
  'systemd-nspawn': 'systemd-container',
  debootstrap: 'debootstrap',
  zstd: 'zstd',
  ip: 'iproute2',
  nft: 'nftables',
  'nix-instantiate': 'nix-bin',
  shellcheck: 'shellcheck',
  openssl: 'openssl',
  'ssh-keygen': 'openssh-client',
  nsenter: 'util-linux',
  tar: 'tar',
};

/** What it needs besides for virtual machines. */
export const ofMachines: Programs = {
  'qemu-system-x86_64': 'qemu-system-x86',
  'mkfs.ext4': 'e2fsprogs',
  'dpkg-deb': 'dpkg',
  depmod: 'kmod',
  cpio: 'cpio',
  xz: 'xz-utils',
  ssh: 'openssh-client',
};

const folders = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
const path = [...new Set([...(process.env.PATH ?? '').split(':'), ...folders])];

/** Programs of the list that are on no path. */
export function missingPrograms(needed: Programs = ofHosts): string[] {
  return Object.keys(needed).filter(
    (program) =>
      !path.some((folder) => statSync(`${folder}/${program}`, { throwIfNoEntry: false })?.isFile()),
  );
}

/**
 * Makes sure that hosts can be booted here, and that the other programs are there. On Debian (or its kin) missing packages
 * are installed, which is said; elsewhere, and without root, it rejects with a sentence that says what is missing.
 */
export async function requireHostTools(more: Programs = {}): Promise<void> {
  if (process.platform !== 'linux')
    throw new Error('test hosts need Linux: they are systemd-nspawn containers');
  if (process.getuid?.() !== 0)
    throw new Error('test hosts need root: they are systemd-nspawn containers with a network of their own');
  const needed = { ...ofHosts, ...more };
  const missing = missingPrograms(needed);
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((program) => needed[program]!))].sort();
  if (!isDebian())
    throw new Error(`test hosts need ${missing.join(', ')} (in Debian: the packages ${packages.join(' ')})`);
  say(`installing ${packages.join(' ')} with apt-get …`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', PATH: path.join(':') };
  await execute('apt-get', ['update', '-q'], { timeoutMs: 180_000, env });
  await execute('apt-get', ['install', '-qy', '--no-install-recommends', ...packages], {
    timeoutMs: 600_000,
    env,
  });
  const still = missingPrograms(needed);
  if (still.length > 0)
    throw new Error(`apt-get installed ${packages.join(' ')}, but not ${still.join(', ')}`);
}

function isDebian(): boolean {
  try {
    return /^ID(_LIKE)?=.*debian/m.test(readFileSync('/etc/os-release', 'utf8'));
  } catch {
    return false;
  }
}
