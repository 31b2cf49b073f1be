import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { searchHost } from '../secrets/host-search.ts';
import { guard, keepSecret } from '../secrets/registry.ts';
import { execute } from './command.ts';
import { type Flavour, flavours } from './flavour.ts';
import { makeHost } from './host.ts';
import { mountOverlay } from './layer.ts';
import { chooseBase, makeSwitch, type Plan, planOf, plugIn } from './network.ts';
import { slotNames } from './paths.ts';
import { requireHostTools } from './requirements.ts';
import { claimSlot } from './slot.ts';
import type { TestHost } from './test-host.ts';

export type { TestHost } from './test-host.ts';

export type StartOptions = {
  count: number;
  flavour: Flavour;
  /** Default: `h1`, `h2`, … */
  names?: string[];
  /** Default: both of IPv4 and IPv6. */
  family?: 'IPv6';
  /** Changes a host's root file system before its first boot. */
  prepare?: (root: string) => Promise<void>;
  /** Default `on`; `off`: whoever asked switches them on. */
  power?: 'on' | 'off';
  /** Paths from the root where the test itself puts secrets: they are not searched for any. */
  secretsIn?: string[];
};

export type TestHosts = {
  hosts: TestHost[];
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
};

/**
 * Boots hosts on a network of their own, which this machine reaches. Resolves when ssh answers on all of them. The
 * first call on a machine makes the image, which takes minutes and is said on standard error.
 *
 * Nothing stays on the machine after `stop()`, nor after this process has ended without it.
 */
export async function startHosts(options: StartOptions): Promise<TestHosts> {
  await requireHostTools();
  const flavour = flavours[options.flavour];
  const image = await flavour.image();
  const base = await chooseBase();
  const slot = await claimSlot();
  const hosts: TestHost[] = [];
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= searched()
      .then(() => Promise.allSettled(hosts.map((host) => host.stop())))
      .then(() => slot.release());
    return stopped;
  };
  const searched = guard({
    name: 'booted hosts',
    search: async (patterns) =>
      (await Promise.all(hosts.map((host) => searchHost(patterns, host, options.secretsIn ?? [])))).flat(),
  });
  try {
    const { folder } = slotNames(slot.number);
    const plan = planOf(base, slot.number);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    await makeKey(join(folder, 'admin'), 'firn-tests');
    keepSecret('the login key of booted hosts', readFileSync(join(folder, 'admin')));
    await makeSwitch(slot.number, plan);
    for (let index = 0; index < options.count; index++) {
      const name = options.names?.[index] ?? `h${index + 1}`;
      hosts.push(await prepareHost({ slot: slot.number, index, name, plan, flavour, image, options }));
    }
    if (options.power !== 'off') await Promise.all(hosts.map((host) => host.powerOn()));
  } catch (error) {
    await stop();
    throw error;
  }
  return { hosts, stop, [Symbol.asyncDispose]: stop };
}

type Seat = {
  slot: number;
  index: number;
  name: string;
  plan: Plan;
  flavour: (typeof flavours)[Flavour];
  image: Awaited<ReturnType<(typeof flavours)[Flavour]['image']>>;
  options: StartOptions;
};

async function prepareHost({ slot, index, name, plan, flavour, image, options }: Seat): Promise<TestHost> {
  const names = slotNames(slot);
  const folder = join(names.folder, name);
  mkdirSync(folder, { mode: 0o700 });
  await mountOverlay(image, folder);
  const root = join(folder, 'root');
  const addresses = plan.host(index);
  const keyFile = join(folder, 'ssh_host_ed25519_key');
  await makeKey(keyFile, name);
  const adminKeyFile = join(names.folder, 'admin');
  flavour.personalise(root, {
    name,
    machineId: randomUUID().replaceAll('-', ''),
    network: networkFile(plan, addresses, options.family),
    hostKey: { secret: readFileSync(keyFile, 'utf8'), public: readFileSync(`${keyFile}.pub`, 'utf8') },
  });
  mkdirSync(join(root, 'root/.ssh'), { recursive: true, mode: 0o700 });
  writeFileSync(join(root, 'root/.ssh/authorized_keys'), readFileSync(`${adminKeyFile}.pub`), {
    mode: 0o600,
  });
  await options.prepare?.(root);
  return makeHost({
    ...{ slot, index, name, root, ...addresses, adminKeyFile, written: join(folder, 'upper') },
    ...(options.family === 'IPv6'
      ? { probes: plan.probes6, probed: addresses.address6 }
      : { probes: plan.probes4, probed: addresses.address }),
    hostKey: readFileSync(`${keyFile}.pub`, 'utf8').split(' ').slice(0, 2).join(' '),
    ...(await plugIn(slot, index)),
    container: `${names.prefix}${name}`,
    cgroup: `${names.cgroup}/${name}`,
    consoleFile: join(folder, 'console.log'),
    path: flavour.path(root),
    ...flavour.boot?.(root),
  });
}

async function makeKey(file: string, comment: string): Promise<void> {
  await execute('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', comment, '-f', file], {
    timeoutMs: 10_000,
  });
}

/**
 * systemd.network(5) for the only interface. No router announces itself here, and nobody else has the address: to
 * wait for either costs a second or more.
 */
function networkFile(
  plan: Plan,
  { address, address6 }: { address: string; address6: string },
  family: StartOptions['family'],
): string {
  const ofIPv4 = family === 'IPv6' ? '' : `Address=${address}/24\nGateway=${plan.switch4}\n`;
  return `[Match]
Name=host0
[Network]
${ofIPv4}Gateway=${plan.switch6}
IPv6AcceptRA=no
LinkLocalAddressing=ipv6
[Address]
Address=${address6}/64
DuplicateAddressDetection=none
`;
}
