/** One visit to a cluster: what it began with, and what its steps found out so far. */
import type { ClusterEtcd, ClusterNode, NixCluster } from '../../crds/index.ts';
import { timestamp } from '../lib/core/timestamp.ts';
import type { Objects } from '../lib/kube/objects.ts';
import type { Context } from '../lib/runtime/controller.ts';
import type { Live } from './live.ts';
import { memberOf } from './members.ts';
import type { Claim } from './network.ts';
import { nodesIn } from './relations.ts';
import { type Known, retireLeavers } from './retire.ts';
import { endpointOf, type NodeStates, nodesOf, readiness } from './status.ts';
import { beginVersions, type VersionsVisit } from './version-steps.ts';
import { withVersions } from './versions.ts';

export type Visit = VersionsVisit & {
  namespace: string;
  /** Without those who left. */
  known: Known;
  objects: Objects;
  /** The cluster itself, once it has answered. */
  live: Live | undefined;
  /** Of the Nodes that this visit saw. */
  states: NodeStates;
  /** As it was found on this visit; until then, as status has it. */
  etcd: ClusterEtcd | undefined;
  /** Of others, found by `plan`. */
  claims: Claim[];
};

export function begin(cluster: NixCluster, context: Context<NixCluster>, objects: Objects): Visit {
  const { namespace = '', name } = cluster.metadata;
  const members = nodesIn(cluster, context.read);
  const { nodes = [], retiredIndexes: retired = [] } = cluster.status ?? {};
  const at = timestamp(context.clock.now());
  const known = retireLeavers(
    { nodes: nodes.map(({ name, uid, index }) => ({ name, uid, index })), retired },
    members.map((node) => memberOf(node, name)),
    at,
  );
  const versions = beginVersions(cluster, context, members);
  const visit: Visit = {
    ...versions,
    namespace,
    known,
    objects,
    live: undefined,
    states: new Map(),
    etcd: cluster.status?.etcd,
    claims: [],
  };
  context.report({ endpoint: endpointOf(cluster), members: readiness(members) });
  reportNodes(visit);
  return visit;
}

/** As the status is to have them. */
export const placesOf = ({ cluster, known, members, states, upgrade }: Visit): ClusterNode[] =>
  withVersions(nodesOf(cluster, known.nodes, members, states), upgrade);

export const reportNodes = (visit: Visit): void =>
  visit.context.report({ nodes: placesOf(visit), retiredIndexes: [...visit.known.retired] });
