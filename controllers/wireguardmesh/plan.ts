/** What a mesh is to be, from its objects: status, and what holds it up. Pure. */
import type { NixCluster, WireguardMesh, WireguardMeshStatus } from '../../crds/index.ts';
import { timestamp } from '../lib/core/timestamp.ts';
import { type Conflict, externalsOf } from './externals.ts';
import { downOf, wayless } from './look-at.ts';
import { isStaying, type Member, nodesOf } from './members.ts';
import { connectedNodes, pairsOf } from './pairs.ts';
import { keyAt } from './peers.ts';
import { portConflict } from './ports.ts';
import { recoverEpoch } from './recover.ts';
import { relaysOf } from './relays.ts';
import { type Keys, msUntilNext, rotate } from './rotation.ts';

export type MeshPlan = {
  /** Of status; what is undefined goes. */
  readonly fields: { [F in keyof WireguardMeshStatus]?: WireguardMeshStatus[F] | undefined };
  readonly conflicts: readonly Conflict[];
  /** Names of nodes without a key of the epoch that traffic goes by. */
  readonly keyless: readonly string[];
  /** What hosts say is wrong with them. */
  readonly problems: readonly string[];
  readonly isDown: boolean;
  readonly isConnected: boolean;
  /** Milliseconds until time alone changes something; infinite where it does not. */
  readonly dueMs: number;
};

/** Throws `waiting` (`MeshMembersUnobserved`) where it is not known which keys are in use. */
export function planMesh(
  mesh: WireguardMesh,
  cluster: NixCluster,
  members: readonly Member[],
  nowMs: number,
): MeshPlan {
  const now = timestamp(nowMs);
  const before = keysOf(mesh, cluster, members, now);
  const known = nodesOf(mesh, members, listed(before));
  const keys = rotate(before, { spec: mesh.spec, members, nodes: known.nodes, now });
  const { nodes, conflicts } = nodesOf(mesh, members, listed(keys));
  const planned: WireguardMesh = { ...mesh, status: { ...mesh.status, ...keys, nodes } };
  const port = portConflict(mesh, cluster, members);
  const view = viewOf(planned, members, activeOf(keys), nowMs);
  return {
    ...view,
    fields: { rotation: undefined, ...keys, nodes, ...view.fields },
    conflicts: [...(port ? [port] : []), ...conflicts, ...externalsOf(planned, cluster).conflicts],
    dueMs: msUntilNext(keys, mesh.spec, nowMs),
  };
}

function keysOf(mesh: WireguardMesh, cluster: NixCluster, members: readonly Member[], now: string): Keys {
  const { epoch, rotation, rotatedAt, request } = mesh.status ?? {};
  if (epoch !== undefined) {
    return {
      epoch,
      rotatedAt: rotatedAt ?? now,
      ...(rotation && { rotation }),
      ...(request !== undefined && { request }),
    };
  }
  // A request that is there without a record of it starts nothing: objects are made anew from Git.
  const asked = mesh.spec.keyRotation.request;
  return {
    ...recoverEpoch(cluster.metadata.name, members, now),
    rotatedAt: now,
    ...(asked !== undefined && { request: asked }),
  };
}

const listed = ({ epoch, rotation }: Keys): number[] =>
  rotation === undefined || rotation.stage === 'Retire' ? [epoch] : [epoch, rotation.epoch];

const activeOf = ({ epoch, rotation }: Keys): number => (rotation?.stage === 'Move' ? rotation.epoch : epoch);

type View = Pick<MeshPlan, 'fields' | 'keyless' | 'problems' | 'isDown' | 'isConnected'>;

const shownPairs = 64;

function viewOf(mesh: WireguardMesh, members: readonly Member[], epoch: number, nowMs: number): View {
  // That a node which is being deleted has no tunnel any more is nothing to look at.
  const staying = new Set(members.filter(isStaying).map(({ node }) => node.metadata.name));
  const nodes = (mesh.status?.nodes ?? []).filter(({ name }) => staying.has(name));
  const pairs = pairsOf(nodes, members, epoch);
  const lost = wayless(nodes, relaysOf(mesh));
  const connected = connectedNodes(nodes, members, pairs, epoch).length;
  return {
    fields: {
      size: nodes.length,
      connected: `${connected}/${nodes.length}`,
      ...steadyPairs(mesh.status ?? {}, pairs.slice(0, shownPairs), nowMs),
      down: [...lost, ...downOf(nodes, members, pairs, epoch)].slice(0, 32),
    },
    keyless: nodes.filter((node) => keyAt(node, epoch) === undefined).map(({ name }) => name),
    problems: members.filter(isStaying).flatMap(({ node }) => {
      const problem = node.status?.mesh?.problem;
      return problem === undefined ? [] : [`${node.metadata.name}: ${problem}`];
    }),
    isDown: lost.length > 0 || pairs.some(({ state }) => state === 'Down'),
    isConnected: lost.length === 0 && connected === nodes.length,
  };
}

/** Ages and bytes move all the time; alone, they are written this seldom. */
const refreshMs = 600_000;

function steadyPairs(
  former: WireguardMeshStatus,
  pairs: NonNullable<WireguardMeshStatus['pairs']>,
  nowMs: number,
): Pick<WireguardMeshStatus, 'pairs' | 'pairsAt'> {
  const statesOf = (all: typeof pairs) => JSON.stringify(all.map(({ a, b, state }) => [a, b, state]).sort());
  const isYoung = nowMs - Date.parse(former.pairsAt ?? '') < refreshMs;
  const { pairs: shown, pairsAt } = former;
  if (isYoung && shown && pairsAt && statesOf(shown) === statesOf(pairs)) return { pairs: shown, pairsAt };
  return { pairs, pairsAt: timestamp(nowMs) };
}
