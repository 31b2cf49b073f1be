import { existsSync, writeFileSync } from 'node:fs';
import ipaddr from 'ipaddr.js';
import { execute } from './command.ts';
import { slotNames } from './paths.ts';

/** The addresses of one slot: the machine itself has `.1` to `.9`, the switch `.254`, hosts from `.11`. */
export type Plan = {
  machine4: string;
  machine6: string;
  switch4: string;
  /** More addresses of the machine: only `reachable()` comes from these. */
  probes4: string[];
  probes6: string[];
  switch6: string;
  host(index: number): { address: string; address6: string };
};

/** RFC 2544 sets 198.18.0.0/15 aside for tests; the other is for machines whose VPN uses that. */
const bases = ['198.18', '10.213'];
const timeoutMs = 10_000;

const lastOfProbes = [2, 3, 4, 5, 6, 7, 8, 9];

export function planOf(base: string, slot: number): Plan {
  const net4 = `${base}.${slot}`;
  // RFC 4193, a random prefix of ours.
  const net6 = `fd46:6972:6e8d:${slot.toString(16)}:`;
  return {
    machine4: `${net4}.1`,
    machine6: `${net6}:1`,
    switch4: `${net4}.254`,
    probes4: lastOfProbes.map((last) => `${net4}.${last}`),
    probes6: lastOfProbes.map((last) => `${net6}:${last}`),
    switch6: `${net6}:fe`,
    host: (index) => ({ address: `${net4}.${11 + index}`, address6: `${net6}:${(11 + index).toString(16)}` }),
  };
}

/** The first range that no route of the machine overlaps, but for the default route and those of other slots. */
export async function chooseBase(): Promise<string> {
  const { stdout } = await execute('ip', ['-j', '-4', 'route', 'show', 'table', 'main'], { timeoutMs });
  const routes = (JSON.parse(stdout || '[]') as { dst: string; dev?: string }[])
    .filter((route) => route.dst !== 'default' && !/^firn\d+$/.test(route.dev ?? ''))
    .map((route) => ipaddr.IPv4.parseCIDR(route.dst.includes('/') ? route.dst : `${route.dst}/32`));
  const free = bases.find((base) => {
    const ours = ipaddr.IPv4.parse(`${base}.0.0`);
    return routes.every(([net, bits]) => !ours.match(net, Math.min(bits, 16)));
  });
  if (free === undefined) throw new Error(`routes of this machine overlap all of ${bases.join(', ')}`);
  return free;
}

/**
 * A namespace with a bridge, the switch, to which the machine has one interface. That interface is all there is
 * in the machine's own network.
 */
export async function makeSwitch(slot: number, plan: Plan): Promise<void> {
  const { link, switchNamespace } = slotNames(slot);
  await execute('ip', ['netns', 'add', switchNamespace], { timeoutMs });
  await ipBatch(switchNamespace, [
    'link set lo up',
    'link add br0 type bridge',
    `addr add ${plan.switch4}/24 dev br0`,
    ...(existsSync('/proc/net/if_inet6') ? [`addr add ${plan.switch6}/64 dev br0 nodad`] : []),
    'link set br0 up',
  ]);
  await execute(
    'ip',
    ['link', 'add', link, 'type', 'veth', 'peer', 'name', 'machine', 'netns', switchNamespace],
    { timeoutMs },
  );
  await ipBatch(switchNamespace, ['link set machine master br0 up']);
  await ipBatch(undefined, [
    ...[plan.machine4, ...plan.probes4].map((address) => `addr add ${address}/24 dev ${link}`),
    `link set ${link} up`,
  ]);
  // Some machines switch IPv6 off for new interfaces; this one is ours.
  const disable = `/proc/sys/net/ipv6/conf/${link}/disable_ipv6`;
  if (!existsSync(disable)) return;
  writeFileSync(disable, '0');
  await ipBatch(
    undefined,
    [plan.machine6, ...plan.probes6].map((address) => `addr add ${address}/64 dev ${link} nodad`),
  );
}

/** The namespace of a host, with its only interface `host0`; the other end is `port<index>` of the switch. */
export async function plugIn(slot: number, index: number): Promise<{ namespacePath: string }> {
  const { prefix, switchNamespace } = slotNames(slot);
  const namespace = `${prefix}h${index}`;
  await execute('ip', ['netns', 'add', namespace], { timeoutMs });
  await ipBatch(switchNamespace, [
    `link add port${index} type veth peer name host0 netns ${namespace}`,
    `link set port${index} master br0 up`,
  ]);
  return { namespacePath: `/run/netns/${namespace}` };
}

/**
 * `silent`: packets vanish and the host does not notice, as when a router in between fails. `unplugged`: it loses
 * its carrier. `connected` undoes both.
 */
export type Cable = 'connected' | 'silent' | 'unplugged';

export async function setCable(slot: number, index: number, cable: Cable): Promise<void> {
  const port = `port${index}`;
  const commands: Record<Cable, string[]> = {
    connected: [`link set ${port} master br0 up`],
    silent: [`link set ${port} nomaster up`],
    unplugged: [`link set ${port} down`],
  };
  await ipBatch(slotNames(slot).switchNamespace, commands[cable]);
}

async function ipBatch(namespace: string | undefined, commands: string[]): Promise<void> {
  const where = namespace === undefined ? [] : ['-n', namespace];
  await execute('ip', [...where, '-batch', '-'], { timeoutMs, input: `${commands.join('\n')}\n` });
}
