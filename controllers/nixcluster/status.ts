/** What the status of a cluster says of its nodes. Pure. */
import type { ClusterNode, NixCluster, NixNode } from '../../crds/index.ts';
import { ReconcileError } from '../lib/core/outcome.ts';
import { several } from '../lib/core/several.ts';
import { hostPort } from './control-planes.ts';
import { byName, underlayOf } from './members.ts';
import { placeOf, routingOf } from './network.ts';
import type { NodeState } from './plan-node.ts';
import type { Numbered } from './retire.ts';

/** Of the Nodes that were looked at; null: there is none. */
export type NodeStates = ReadonlyMap<string, NodeState | null>;

/** Sorted by name, so that the same cluster is the same text. */
export function nodesOf(
  cluster: NixCluster,
  numbered: readonly Numbered[],
  members: readonly NixNode[],
  states: NodeStates = new Map(),
): ClusterNode[] {
  const before = new Map((cluster.status?.nodes ?? []).map((node) => [node.name, node]));
  const objects = new Map(members.map((node) => [node.metadata.name, node]));
  return [...numbered].sort(byName).map(({ name, uid, index }) => {
    const former = before.get(name);
    const object = objects.get(name);
    const underlayAddresses = object ? underlayOf(object, former) : (former?.underlayAddresses ?? []);
    const roles = object ? [...object.spec.roles].sort() : former?.roles;
    const place = placeOf(cluster.spec.network, index);
    const ongoing = former?.uid === uid ? ongoingOf(former) : {};
    const { node: known, ...said } = {
      name,
      uid,
      index,
      ...(roles && { roles }),
      ...place,
      underlayAddresses,
      ...ongoing,
    };
    const node = states.has(name) ? states.get(name) : known;
    return node ? { ...said, node } : said;
  });
}

/** What other steps say of a node stays until they say something else; a namesake begins anew. */
const ongoingOf = ({ granted, restart, rollout, departure, node }: ClusterNode): Partial<ClusterNode> => ({
  ...(granted && { granted }),
  ...(restart && { restart }),
  ...(rollout && { rollout }),
  ...(departure && { departure }),
  ...(node && { node }),
});

export const endpointOf = ({ spec: { endpoint } }: NixCluster): string =>
  `https://${hostPort(endpoint.host, endpoint.port)}`;

const readyOf = ({ status }: NixNode) => status?.conditions?.find(({ type }) => type === 'Ready');
const isStalled = ({ status }: NixNode): boolean =>
  status?.conditions?.find(({ type }) => type === 'Stalled')?.status === 'True';
const isReady = (node: NixNode): boolean => readyOf(node)?.status === 'True';

/** The column: who is ready, of how many. */
export const readiness = (members: readonly NixNode[]): string =>
  `${members.filter(isReady).length}/${members.length}`;

export function noMembers({ metadata }: NixCluster): ReconcileError {
  const how = `set spec.clusterRef.name: ${metadata.name}`;
  return new ReconcileError('waiting', 'NoMembers', `no NixNode of the namespace belongs to it: ${how}`);
}

/** Throws `NoMembers`, or `MembersNotReady` with the reasons of the first of them. */
export function checkMembers(cluster: NixCluster, members: readonly NixNode[]): void {
  if (members.length === 0) throw noMembers(cluster);
  const unready = members.filter((node) => !isReady(node)).sort((a, b) => byName(a.metadata, b.metadata));
  if (unready.length === 0) return;
  const said = unready.map((node) => `${node.metadata.name} (${readyOf(node)?.reason ?? 'Pending'})`);
  // What is under way needs nobody.
  const verdict = unready.some(isStalled) ? 'waiting' : 'progressing';
  throw new ReconcileError(verdict, 'MembersNotReady', `not ready: ${several(said)}`);
}

/** Throws `waiting` `UnderlayMissing` where nodes are to reach each other directly and one has no address to be reached by. */
export function checkRoutes(cluster: NixCluster, nodes: readonly ClusterNode[]): void {
  const { network } = cluster.spec;
  const needsUnderlay = network.cni === 'Flannel' || (routingOf(network) === 'Direct' && nodes.length > 1);
  if (!needsUnderlay) return;
  for (const { cidr } of network.pods) {
    const isV6 = cidr.includes(':');
    const missing = nodes.filter((node) => !node.underlayAddresses.some((one) => one.includes(':') === isV6));
    if (missing.length === 0) continue;
    const names = several(missing.map(({ name }) => name));
    throw new ReconcileError(
      'waiting',
      'UnderlayMissing',
      `pods ${cidr} cannot be routed to NixNodes ${names}: they have no ${isV6 ? 'IPv6' : 'IPv4'} address that other nodes reach; set spec.addresses of each, use a mesh, or let others route (routing: External)`,
    );
  }
}
