/** The cluster itself, beyond what hosts say of it: reached, followed, and its Nodes tended. */
import type { ClusterNode, NixCluster, NixNode } from '../../crds/index.ts';
import { ReconcileError } from '../lib/core/outcome.ts';
import type { KubeClient } from '../lib/kube/client.ts';
import type { Cache } from '../lib/runtime/cache.ts';
import type { Context } from '../lib/runtime/controller.ts';
import type { FollowedKind, Follower } from '../lib/target/follow.ts';
import type { Targets } from '../lib/target/targets.ts';
import { targetAccess } from './access.ts';
import { asTargetError, lookAtApi, roundedLatency } from './api.ts';
import { type AppliedRights, keepRights } from './keep-rights.ts';
import { lowestVersion } from './lowest-version.ts';
import type { NodeState } from './plan-node.ts';
import { ClusterRoleBindingKind, ClusterRoleKind, isRight } from './rights.ts';
import { aboutNode, type TargetNode, TargetNodeKind } from './target-node.ts';
import { type AppliedLabels, tendNodes } from './tend-nodes.ts';

const rightsOf = (kind: FollowedKind['kind']): FollowedKind => ({
  kind,
  holds: 'metadata',
  about: ({ raw }) => isRight(raw.metadata.name) && raw.metadata.resourceVersion,
});

/** What is followed of each cluster: its Nodes, and the rights that were given there. */
export const followed: readonly FollowedKind[] = [
  {
    kind: TargetNodeKind,
    holds: 'objects',
    about: ({ parsed }) => (parsed.ok ? aboutNode(parsed.object as TargetNode) : parsed.message),
  },
  rightsOf(ClusterRoleKind),
  rightsOf(ClusterRoleBindingKind),
];

/** What is remembered of clusters, by UID: lost, it is found out again. */
export type Remembered = Map<string, { rights: AppliedRights; labels: AppliedLabels }>;

export type Ways = { targets: Targets; follower: Follower; remembered: Remembered };

/** A cluster that answers. */
export type Live = { client: KubeClient; nodes: Cache; version: string };

/** Throws `ReconcileError` with what keeps the API from being used. */
export async function reachApi(
  cluster: NixCluster,
  context: Context<NixCluster>,
  { targets, follower, remembered }: Ways,
): Promise<Live> {
  const { clock, signal } = context;
  const { namespace = '', name, uid } = cluster.metadata;
  const access = await targetAccess(cluster, context.read);
  const client = targets.client(access);
  const before = cluster.status?.api;
  try {
    const { version, latencyMs } = await lookAtApi(client, clock, signal);
    targets.latencies.set(access.cluster, latencyMs / 1000);
    context.report({ api: { version, latencyMs: roundedLatency(latencyMs, before?.latencyMs) } });
    const kept = remembered.get(uid) ?? { rights: new Map(), labels: new Map() };
    remembered.set(uid, kept);
    const { caches } = follower.known({ namespace, name, uid }) ?? { caches: [] };
    const asFounder = (work: (founder: KubeClient) => Promise<void>) => targets.asFounder(access, work);
    const done = await keepRights(client, asFounder, kept.rights, caches, signal);
    if (done === 'founded')
      context.event(
        'Normal',
        'RightsGiven',
        'gave the operator and the components their rights in the cluster',
      );
    const { caches: all } = follower.follow({ namespace, name, uid }, client);
    return { client, nodes: all.find(({ kind }) => kind === TargetNodeKind)!, version };
  } catch (error) {
    targets.latencies.delete(access.cluster);
    throw asTargetError(error, before !== undefined);
  }
}

/** Fills `states`, and throws while Nodes are not known, or not to be written to. */
export async function lookAtNodes(
  cluster: NixCluster,
  members: readonly NixNode[],
  places: readonly ClusterNode[],
  states: Map<string, NodeState | null>,
  { client, nodes, version }: Live,
  { remembered }: Ways,
  context: Context<NixCluster>,
): Promise<void> {
  // The first list wakes the cluster.
  if (!nodes.synced)
    throw new ReconcileError('progressing', 'NodesUnknown', 'the Nodes are being listed', {
      recheckMs: 10_000,
    });
  const labels = remembered.get(cluster.metadata.uid)?.labels ?? new Map();
  const tending = { client, cache: nodes, applied: labels, signal: context.signal };
  await tendNodes(cluster, members, places, states, tending).catch((error: unknown) => {
    throw asTargetError(error, true);
  });
  const kubelets = [...states.values()].flatMap((state) => state?.version ?? []);
  const lowest = lowestVersion([version, ...kubelets]);
  if (lowest !== undefined) context.report({ version: lowest });
}
