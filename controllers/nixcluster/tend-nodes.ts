/** Makes Nodes carry what they should, and tells how they are. */
import type { ClusterNode, NixCluster, NixNode } from '../../crds/index.ts';
import { ReconcileError } from '../lib/core/outcome.ts';
import { several } from '../lib/core/several.ts';
import type { KubeClient } from '../lib/kube/client.ts';
import { KubeError } from '../lib/kube/kube-error.ts';
import type { Cache } from '../lib/runtime/cache.ts';
import { byName } from './members.ts';
import { type NodePlan, planNode, runsKubelet } from './plan-node.ts';
import type { NodeStates } from './status.ts';
import { type TargetNode, TargetNodeKind } from './target-node.ts';

/**
 * Labels as they were last applied, by the UID of the Node: whether one of ours is there that should not be, only the API
 * server knows. Whoever does not know applies once more, which changes nothing.
 */
export type AppliedLabels = Map<string, string>;

export type Tending = {
  client: KubeClient;
  /** Of Nodes. */
  cache: Cache;
  applied: AppliedLabels;
  signal: AbortSignal;
};

const fieldManager = 'firn-nixcluster';
/** Nodes that are written to at once. */
const width = 16;

/** `places` are those of the cluster's status. */
export async function tendNodes(
  cluster: NixCluster,
  members: readonly NixNode[],
  places: readonly ClusterNode[],
  tending: Tending,
): Promise<NodeStates> {
  const placeOf = new Map(places.map((place) => [place.name, place]));
  const plans = members.filter(runsKubelet).map((member) => {
    const { name } = member.metadata;
    const found = tending.cache.store.get(`/${name}`)?.parsed as Parameters<typeof planNode>[3];
    return planNode(cluster, member, placeOf.get(name), found);
  });
  const states: NodeStates = new Map([
    ...members.map(({ metadata }) => [metadata.name, null] as const),
    ...plans.map(({ name, state }) => [name, state] as const),
  ]);
  const failures: unknown[] = [];
  for (let first = 0; first < plans.length; first += width) {
    const some = plans.slice(first, first + width).map((plan) => carryOut(plan, tending));
    for (const result of await Promise.allSettled(some))
      if (result.status === 'rejected') failures.push(result.reason);
  }
  forgetOthers(tending);
  const grave = failures.find((error) => !isOvertaken(error));
  if (grave !== undefined) throw grave;
  // Whatever came between is told by the watch, which wakes the cluster.
  return states;
}

/** Another change came first, or the Node is gone. */
const isOvertaken = (error: unknown): boolean =>
  error instanceof KubeError && (error.status === 409 || error.status === 404);

async function carryOut({ name, labels, patch }: NodePlan, tending: Tending): Promise<void> {
  const { client, cache, applied, signal } = tending;
  const entry = cache.store.get(`/${name}`);
  if (!entry?.parsed.ok || labels === null) return;
  const { metadata } = entry.parsed.object as TargetNode;
  if (patch) {
    const { resourceVersion, spec } = patch;
    const changed = { metadata: { resourceVersion }, spec };
    cache.observe(await client.mergePatch(TargetNodeKind, { namespace: '', name }, changed, { signal }));
  }
  const wanted = JSON.stringify(Object.entries(labels).sort());
  const isThere = Object.entries(labels).every(([key, value]) => metadata.labels[key] === value);
  if (isThere && applied.get(metadata.uid) === wanted) return;
  // With its UID: of a Node that went meanwhile, nothing is made anew.
  const object = { metadata: { namespace: '', name, uid: metadata.uid, labels } };
  cache.observe(await client.apply(TargetNodeKind, object, { fieldManager, signal }));
  applied.set(metadata.uid, wanted);
}

function forgetOthers({ cache, applied }: Tending): void {
  const living = new Set(cache.store.list('').map(({ raw }) => raw.metadata.uid));
  for (const uid of applied.keys()) if (!living.has(uid)) applied.delete(uid);
}

/** Throws `NodesNotReady`, with the reasons of the first of them. */
export function checkNodes(members: readonly NixNode[], states: NodeStates): void {
  const unready = members
    .filter((node) => runsKubelet(node) && !states.get(node.metadata.name)?.ready)
    .sort((a, b) => byName(a.metadata, b.metadata));
  if (unready.length === 0) return;
  const said = unready.map(({ metadata: { name } }) => {
    const state = states.get(name);
    if (!state) return `${name} (no Node yet: its kubelet has not registered)`;
    return `${name} (${state.reason}${state.message === '' ? '' : `: ${state.message}`})`;
  });
  // Who never was there is on the way; who was may need somebody.
  const verdict = unready.some(({ metadata }) => states.get(metadata.name)) ? 'waiting' : 'progressing';
  throw new ReconcileError(verdict, 'NodesNotReady', `not ready: ${several(said, '; ')}`);
}
