/** Makes Nodes carry what they should, and tells how they are. */
import type { ClusterNode, NixCluster, NixNode } from '../../crds/index.ts';
import { clip } from '../lib/core/clip.ts';
import { ReconcileError } from '../lib/core/outcome.ts';
import { several } from '../lib/core/several.ts';
import type { KubeClient } from '../lib/kube/client.ts';
import { KubeError } from '../lib/kube/kube-error.ts';
import type { Cache } from '../lib/runtime/cache.ts';
import { byName } from './members.ts';
import { type Found, type NodePlan, type NodeState, planNode, runsKubelet } from './plan-node.ts';
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
/** Looks at a Node that others change meanwhile. */
const maxAttempts = 3;

/**
 * Fills `states` with what it saw, of every member, and throws afterwards what kept it from the rest. `places` are those of
 * the cluster's status.
 */
export async function tendNodes(
  cluster: NixCluster,
  members: readonly NixNode[],
  places: readonly ClusterNode[],
  states: Map<string, NodeState | null>,
  tending: Tending,
): Promise<void> {
  const placeOf = new Map(places.map((place) => [place.name, place]));
  const failures: unknown[] = [];
  const tend = async (member: NixNode): Promise<void> => {
    const { name } = member.metadata;
    const plan = (): NodePlan => planNode(cluster, member, placeOf.get(name), foundIn(tending.cache, name));
    states.set(name, runsKubelet(member) ? plan().state : null);
    if (runsKubelet(member)) states.set(name, await tendNode(plan, tending));
  };
  for (let first = 0; first < members.length; first += width) {
    const some = members.slice(first, first + width).map(tend);
    for (const result of await Promise.allSettled(some))
      if (result.status === 'rejected') failures.push(result.reason);
  }
  forgetOthers(tending);
  if (failures.length > 0) throw failures[0];
}

const foundIn = (cache: Cache, name: string): Found => cache.store.get(`/${name}`)?.parsed as Found;

/** As often as somebody else's change comes between: the watch tells of it, and not every change wakes the cluster. */
async function tendNode(plan: () => NodePlan, tending: Tending): Promise<NodeState | null> {
  const { client, cache, signal } = tending;
  for (let attempt = 1; ; attempt++) {
    const { name, state, ...todo } = plan();
    try {
      await carryOut({ name, state, ...todo }, tending);
      return state;
    } catch (error) {
      const status = error instanceof KubeError ? error.status : 0;
      if (status === 404) return null;
      // What one Node says must not keep the others from being looked after.
      if (status === 400 || status === 422) return { ...state, ...notWritten(error as KubeError) };
      if (status !== 409 || attempt === maxAttempts) throw error;
      const latest = await client.get(TargetNodeKind, { namespace: '', name }, { signal }).catch(() => null);
      if (latest) cache.observe(latest);
    }
  }
}

const notWritten = ({ message }: KubeError): NodeState => ({
  ready: false,
  reason: 'NodeRefused',
  message: clip(`the API server refuses its labels, taints or subnets: ${message}`, 1024),
});

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
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
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
