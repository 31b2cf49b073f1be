/**
 * New keys for all nodes without losing a tunnel: make before break. Pure; the next stage begins when every node has done
 * what the stage asks for, in the host's own words.
 *
 * `Prepare`: each host makes a key of the next epoch and a second device, and each pair shakes hands there, upon which
 * both sides have each other. `Move`: routes go over to the new device, on each host when it gets to it: it receives on
 * both. `Retire`: nobody sends on the old device any more, and it goes.
 */
import {
  type MeshNode,
  parseDuration,
  type Rotation,
  type WireguardMesh,
  type WireguardMeshStatus,
} from '../../crds/index.ts';
import { several } from '../lib/core/several.ts';
import { isStaying, type Member, unreachableFor } from './members.ts';
import { keyAt } from './peers.ts';
import { meetDirectly } from './relays.ts';

export type Keys = Pick<WireguardMeshStatus, 'epoch' | 'rotation' | 'rotatedAt' | 'request'> & {
  epoch: number;
};

/** `nodes` as they are now; `now` is a timestamp. */
export type Sight = {
  readonly spec: WireguardMesh['spec'];
  readonly members: readonly Member[];
  readonly nodes: readonly MeshNode[];
  readonly now: string;
};

/** At most one step further. */
export function rotate(keys: Keys, sight: Sight): Keys {
  const { rotation } = keys;
  if (rotation === undefined) return begin(keys, sight);
  const { waitsFor: _, shakenAt: before, ...rest } = rotation;
  const waits = waitsOf(rotation, sight);
  if (waits.length > 0) return { ...keys, rotation: { ...rest, waitsFor: several(waits, '; ') } };
  const shakenAt = before ?? sight.now;
  if (rotation.stage === 'Prepare' && Date.parse(sight.now) < Date.parse(shakenAt) + settleMs) {
    return { ...keys, rotation: { ...rest, shakenAt, waitsFor: 'new tunnels settle for a few seconds' } };
  }
  return advance(keys, rest, sight.now);
}

/**
 * Of two that begin to shake hands at once each may end up with keys that the other has thrown away, and notices when it
 * has had no answer for KEEPALIVE_TIMEOUT (10 s) or tries once more after REKEY_TIMEOUT (5 s; WireGuard's paper, 6.1 and 6.5).
 */
const settleMs = 16_000;

function begin(keys: Keys, { spec, nodes, now }: Sight): Keys {
  const { request } = spec.keyRotation;
  const isAsked = request !== undefined && request !== keys.request;
  if (nodes.length === 0 || !(isAsked || msUntilDue(keys, spec, Date.parse(now)) <= 0)) return keys;
  const rotation: Rotation = {
    stage: 'Prepare',
    epoch: keys.epoch + 1,
    startedAt: now,
    ...(isAsked && { request }),
  };
  return { ...keys, ...(isAsked && { request }), rotation };
}

function advance(keys: Keys, rotation: Rotation, now: string): Keys {
  switch (rotation.stage) {
    case 'Prepare':
      return { ...keys, rotation: { ...rotation, stage: 'Move' } };
    case 'Move':
      return { ...keys, epoch: rotation.epoch, rotatedAt: now, rotation: { ...rotation, stage: 'Retire' } };
    case 'Retire': {
      const { rotation: _, ...done } = keys;
      return done;
    }
  }
}

/** Milliseconds until time alone changes something: a rotation is due, or new tunnels have settled. */
export function msUntilNext(keys: Keys, spec: WireguardMesh['spec'], now: number): number {
  const { rotation } = keys;
  if (rotation === undefined) return msUntilDue(keys, spec, now);
  if (rotation.shakenAt === undefined) return Number.POSITIVE_INFINITY;
  return Date.parse(rotation.shakenAt) + settleMs - now;
}

/** Milliseconds until a rotation is due; infinite without a schedule. */
function msUntilDue({ rotatedAt }: Keys, { keyRotation }: WireguardMesh['spec'], now: number): number {
  if (keyRotation.every === undefined || rotatedAt === undefined) return Number.POSITIVE_INFINITY;
  return Date.parse(rotatedAt) + parseDuration(keyRotation.every) - now;
}

/** What the stage waits for, in words; empty: for nothing. */
export function waitsOf({ stage, epoch }: Rotation, { members, nodes }: Sight): string[] {
  const staying = members.filter((member) => isStaying(member) && member.place !== undefined);
  const behind = staying.flatMap((member) => {
    const what = isBehind(stage, epoch, member);
    const why = unreachableFor(member);
    return what === undefined
      ? []
      : [`${member.node.metadata.name} ${what}${why === undefined ? '' : ` and does not answer (${why})`}`];
  });
  return stage === 'Prepare' && behind.length === 0 ? unshaken(epoch, staying, nodes) : behind;
}

function isBehind(stage: Rotation['stage'], epoch: number, { node }: Member): string | undefined {
  const { keys = [], active } = node.status?.mesh ?? {};
  switch (stage) {
    case 'Prepare':
      return keys.some((key) => key.epoch === epoch) ? undefined : `has no key of epoch ${epoch} yet`;
    case 'Move':
      return active === epoch ? undefined : `does not send with keys of epoch ${epoch} yet`;
    case 'Retire':
      return keys.some((key) => key.epoch < epoch) ? `still has a key from before epoch ${epoch}` : undefined;
  }
}

/** Pairs that have not shaken hands; a handshake that one side tells of is one that both took part in. */
function unshaken(epoch: number, staying: readonly Member[], nodes: readonly MeshNode[]): string[] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const sides = staying.flatMap((member) => {
    const node = byName.get(member.node.metadata.name);
    return node === undefined ? [] : [{ node, tells: told(member, epoch) }];
  });
  const keyless = sides.filter(({ node }) => keyAt(node, epoch) === undefined);
  const missing = sides.flatMap((a, at) =>
    sides
      .slice(at + 1)
      .filter((b) => meetDirectly(a.node, b.node) && !haveShaken(a.tells(b.node.name), b.tells(a.node.name)))
      .map((b) => `${a.node.name} and ${b.node.name} have not shaken hands with keys of epoch ${epoch}`),
  );
  return [...keyless.map(({ node }) => `${node.name} has no key of epoch ${epoch} of its own`), ...missing];
}

/** Of a peer that is left out where a host tells of its worst ones only, it is known that it is no worse. */
type Told = 'Connected' | 'NoWorse' | 'Not';

const haveShaken = (a: Told, b: Told): boolean =>
  a === 'Connected' || b === 'Connected' || (a === 'NoWorse' && b === 'NoWorse');

/** How many peers a host tells of at most: the bound of crds/nixnode-status.ts. */
const toldAtMost = 64;

function told({ node }: Member, epoch: number): (name: string) => Told {
  const details = node.status?.mesh?.details ?? [];
  const states = new Map(
    details.filter((one) => one.epoch === epoch).map(({ name, state }) => [name, state]),
  );
  const isRestWell = details.length >= toldAtMost && details.at(-1)?.state === 'Connected' && states.size > 0;
  return (name) => {
    const state = states.get(name);
    if (state === undefined) return isRestWell ? 'NoWorse' : 'Not';
    return state === 'Connected' ? 'Connected' : 'Not';
  };
}
