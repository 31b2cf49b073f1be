import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { debianHost } from './debian.ts';
import { kubernetesHost, ofContainers, upgradeHost } from './kubernetes.ts';
import type { Layer } from './layer.ts';
import type { MachineOptions } from './machine.ts';
import { nixosHost } from './nixos.ts';
import { userlandFile } from './userland.ts';

/** What makes one host differ from the next that has the same image. */
export type Identity = {
  name: string;
  machineId: string;
  /** systemd.network(5) of its only interface. */
  network: string;
  hostKey: { secret: string; public: string };
};

export type FlavourOf = {
  image(): Promise<Layer>;
  personalise(root: string, identity: Identity): void;
  /** PATH of the scripts that tests run in it. */
  path(root: string): string;
  /** How it boots, if not as systemd-nspawn would. */
  boot?(root: string): Pick<MachineOptions, 'init' | 'watchdog' | 'arguments'>;
};

export type Flavour = 'debian' | 'nixos' | 'kubernetes' | 'kubernetes-next';

const debian: FlavourOf = {
  image: debianHost,
  path: () => '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  personalise: (root, identity) => {
    const etc = join(root, 'etc');
    writeFileSync(join(etc, 'hostname'), `${identity.name}\n`);
    writeFileSync(join(etc, 'hosts'), `127.0.0.1 localhost ${identity.name}\n::1 localhost\n`);
    writeFileSync(join(etc, 'systemd/network/10-host0.network'), identity.network);
    writeIdentity(etc, identity);
  },
};

/** The parts of it that live in /etc on any Linux. */
function writeIdentity(etc: string, { machineId, hostKey }: Identity): void {
  writeFileSync(join(etc, 'machine-id'), `${machineId}\n`);
  mkdirSync(join(etc, 'ssh'), { recursive: true });
  const file = join(etc, 'ssh/ssh_host_ed25519_key');
  writeFileSync(file, hostKey.secret);
  chmodSync(file, 0o600);
  writeFileSync(`${file}.pub`, hostKey.public);
}

/** The border to the stand-in, from outside; test/nixos/README.md. */
const nixos: FlavourOf = {
  image: nixosHost,
  boot: (root) => ({
    init: '/usr/lib/firn-loader/init',
    watchdog: { armed: () => existsSync(join(root, 'boot/firn-loader/oneshot')), timeoutMs: 20_000 },
  }),
  // The userland too, so that a test can look at a system in which nothing works any more.
  path: (root) =>
    `/run/wrappers/bin:/run/current-system/sw/bin:${readFileSync(join(root, userlandFile), 'utf8').trim()}/bin`,
  personalise: (root, identity) => {
    writeFileSync(join(root, 'boot/firn-loader/host0.network'), identity.network);
    writeIdentity(join(root, 'var/lib/persist-etc'), identity);
  },
};

const kubernetes: FlavourOf = {
  ...nixos,
  image: kubernetesHost,
  boot: (root) => ({ ...nixos.boot!(root), arguments: ofContainers(root) }),
};

export const flavours: Record<Flavour, FlavourOf> = {
  debian,
  nixos,
  kubernetes,
  'kubernetes-next': { ...kubernetes, image: upgradeHost },
};
