/**
 * A mesh as it is spread over hosts that lag behind: each has applied some earlier file and told of some earlier state.
 * The mesh is planned and the files are made by the code under test; hosts do what the unit on them does.
 */

import { membersOf } from '../../controllers/wireguardmesh/members.ts';
import { emptyPeersFile, type PeersFile, peersFile } from '../../controllers/wireguardmesh/peers.ts';
import { planMesh } from '../../controllers/wireguardmesh/plan.ts';
import type { NixNode, NixNodeStatus, WireguardMesh } from '../../crds/index.ts';
import { addressesOf, cidrsOf, clusterOf, meshWith, nameOf, nodeOf, publicKeyOf } from './mesh.ts';

type Said = NonNullable<NixNodeStatus['mesh']>;
export type HostState = {
  readonly file: PeersFile | undefined;
  readonly keys: readonly number[];
  readonly said: Said | undefined;
};
export type World = {
  readonly mesh: WireguardMesh;
  readonly hosts: ReadonlyMap<number, HostState>;
  readonly hidden: readonly number[];
};

export type Step = { readonly kind: 'plan' } | { readonly kind: 'apply' | 'tell'; readonly host: number };

const noon = Date.parse('2026-11-21T12:00:00Z');
const indexOf = (name: string): number => Number(name.slice(4));
const keyOf = (host: number, epoch: number): string => publicKeyOf(`${nameOf(host)}/${epoch}`);

export const nodesOfWorld = ({ hosts, hidden }: World): NixNode[] =>
  [...hosts].map(([host, { said }]) =>
    nodeOf(host, {
      spec: { mesh: { behindNAT: hidden.includes(host) } },
      status: said === undefined ? {} : { mesh: said },
    }),
  );

export const clusterOfWorld = ({ hosts }: World) => clusterOf([...hosts.keys()]);

/** What the unit makes of a file: keys for what is listed, and none that is older. */
function applied(world: World, host: number): HostState {
  const before = world.hosts.get(host)!;
  const cluster = clusterOfWorld(world);
  const file =
    peersFile(world.mesh, cluster, nameOf(host)) ?? emptyPeersFile(world.mesh, cluster, nameOf(host));
  const listed = file.epochs.map(({ epoch }) => epoch);
  const kept = before.keys.filter((epoch) => epoch >= Math.min(...listed));
  return { ...before, file, keys: [...new Set([...kept, ...listed])].sort() };
}

const has = (world: World, host: number, epoch: number, other: number): boolean =>
  world.hosts
    .get(host)!
    .file?.epochs.find((one) => one.epoch === epoch)
    ?.peers.some(({ publicKey }) => publicKey === keyOf(other, epoch)) ?? false;

/** As the operator tells of what it saw: of the peers that the mesh wants now, who has shaken hands. */
function told(world: World, host: number): Said {
  const { file, keys } = world.hosts.get(host)!;
  const wanted = peersFile(world.mesh, clusterOfWorld(world), nameOf(host))?.epochs ?? [];
  const details = wanted.flatMap(({ epoch, peers }) =>
    peers.map(({ name }) => {
      const other = indexOf(name);
      const shaken = has(world, host, epoch, other) && has(world, other, epoch, host);
      const state = shaken ? ('Connected' as const) : ('Waiting' as const);
      return { name, epoch, state, receivedBytes: 0, sentBytes: 0 };
    }),
  );
  const active = file?.epochs.find((one) => one.active)?.epoch;
  return {
    keys: keys.map((epoch) => ({ epoch, publicKey: keyOf(host, epoch) })),
    ...(active !== undefined && { active }),
    peers: details.length,
    connected: details.filter(({ state }) => state === 'Connected').length,
    details,
  };
}

export function take(world: World, step: Step): World {
  if (step.kind === 'plan') {
    const members = membersOf(clusterOfWorld(world), nodesOfWorld(world));
    // Nobody moves while new tunnels settle; so much time passes between two looks.
    const now = world.mesh.status?.rotation?.shakenAt === undefined ? noon : noon + 60_000;
    const { fields } = planMesh(world.mesh, clusterOfWorld(world), members, now);
    return {
      ...world,
      mesh: { ...world.mesh, status: { ...world.mesh.status, ...fields } as WireguardMesh['status'] },
    };
  }
  const { host, kind } = step;
  const state =
    kind === 'apply' ? applied(world, host) : { ...world.hosts.get(host)!, said: told(world, host) };
  return {
    ...world,
    hosts: new Map([...world.hosts].map(([index, one]) => [index, index === host ? state : one])),
  };
}

export const stepsOf = ({ hosts }: World): Step[] => [
  { kind: 'plan' },
  ...[...hosts.keys()].flatMap((host): Step[] => [
    { kind: 'apply', host },
    { kind: 'tell', host },
  ]),
];

/** All that the future depends on. */
export const fingerprint = ({ mesh, hosts }: World): string => {
  const { epoch, rotation, nodes, request } = mesh.status ?? {};
  const stage = [rotation?.stage, rotation?.epoch, rotation?.shakenAt !== undefined];
  return JSON.stringify([epoch, stage, request, nodes, [...hosts.values()]]);
};

/** A world in which nothing is left to do, however long that takes. */
export function settle(world: World): World {
  let [now, before] = [world, ''];
  for (let round = 0; round < 50 && before !== fingerprint(now); round += 1) {
    before = fingerprint(now);
    now = stepsOf(now).reduce(take, now);
  }
  return now;
}

export const emptyWorld = (
  hosts: readonly number[],
  hidden: readonly number[],
  spec: Record<string, unknown> = {},
): World => ({
  mesh: meshWith([], { spec, status: { epoch: undefined, nodes: undefined } }),
  hosts: new Map(hosts.map((host) => [host, { file: undefined, keys: [], said: undefined }])),
  hidden,
});

export const withHost = (world: World, host: number): World => ({
  ...world,
  hosts: new Map([...world.hosts, [host, { file: undefined, keys: [], said: undefined }]]),
});

export const withoutHost = (world: World, host: number): World => ({
  ...world,
  hosts: new Map([...world.hosts].filter(([index]) => index !== host)),
});

export const nameOfHost = nameOf;

export const asking = (world: World, request: string): World => ({
  ...world,
  mesh: { ...world.mesh, spec: { ...world.mesh.spec, keyRotation: { request } } },
});

/** Follows a packet by the files that hosts have applied; the reason why it is lost, or undefined. */
export function lost(world: World, from: number, to: number): string | undefined {
  const target = cidrsOf(to)[0]!;
  const source = cidrsOf(from)[0]!;
  let at = from;
  for (let hop = 0; hop < 3; hop += 1) {
    const sending = world.hosts.get(at)!.file?.epochs.find(({ active }) => active);
    const next = sending?.peers.find(({ allowedIPs }) => allowedIPs.includes(target));
    if (sending === undefined || next === undefined)
      return `${nameOf(at)} has no peer for ${addressesOf(to)[0]}`;
    const receiver = indexOf(next.name);
    const receiving = world.hosts.get(receiver)!.file?.epochs.find(({ epoch }) => epoch === sending.epoch);
    const sender = receiving?.peers.find(({ publicKey }) => publicKey === keyOf(at, sending.epoch));
    if (sender === undefined) return `${next.name} does not know ${nameOf(at)} in epoch ${sending.epoch}`;
    if (!sender.allowedIPs.includes(source))
      return `${next.name} takes no packet of ${nameOf(from)} from ${nameOf(at)}`;
    if (receiver === to) return undefined;
    at = receiver;
  }
  return `it goes around in circles at ${nameOf(at)}`;
}

export const allLost = (world: World, among: readonly number[]): string[] =>
  among.flatMap((from) =>
    among
      .filter((to) => to !== from)
      .flatMap((to) => {
        const why = lost(world, from, to);
        return why === undefined ? [] : [`${nameOf(from)} to ${nameOf(to)}: ${why}`];
      }),
  );
