/** The nodes of a mesh: what the cluster planned for each, and what each says of itself. */
import type {
  ClusterNode,
  MeshNode,
  NixCluster,
  NixNode,
  NixNodeStatus,
  WireguardMesh,
} from '../../crds/index.ts';
import { ReconcileError } from '../lib/core/outcome.ts';
import { endpointOfNode } from './endpoint.ts';
import type { Conflict } from './externals.ts';

export type Said = NonNullable<NixNodeStatus['mesh']>;

/** A NixNode of the cluster; `place` is absent until the cluster has numbered it. */
export type Member = { readonly node: NixNode; readonly place: ClusterNode | undefined };

export const membersOf = (cluster: NixCluster, nodes: readonly NixNode[]): Member[] => {
  const places = new Map(cluster.status?.nodes?.map((place) => [place.name, place]));
  return nodes.map((node) => ({ node, place: places.get(node.metadata.name) }));
};

/**
 * Throws `waiting` (`MeshEmpty`) for a mesh that knows of no keys and has no node to ask: objects that are made anew from
 * Git come one after the other, and an epoch that is decided upon before its nodes are there is a wrong one.
 */
export function requireMembers(mesh: WireguardMesh, cluster: NixCluster, members: readonly Member[]): void {
  if (mesh.status?.epoch !== undefined || members.some(({ place }) => place !== undefined)) return;
  const message = `no node of NixCluster ${cluster.metadata.name} has a number yet`;
  throw new ReconcileError('waiting', 'MeshEmpty', message);
}

/** Whoever is being deleted is not waited for: its host need not take part any more. */
export const isStaying = ({ node }: Member): boolean => node.metadata.deletionTimestamp === undefined;

/** Undefined while the operator reaches the host, or has not tried; else the reason why it does not. */
export function unreachableFor({ node }: Member): string | undefined {
  const reachable = node.status?.conditions?.find(({ type }) => type === 'Reachable');
  return reachable?.status === 'False' ? reachable.reason : undefined;
}

type Planned = { readonly nodes: MeshNode[]; readonly conflicts: Conflict[] };

/**
 * What of the nodes goes to all others, sorted by name. Keys are those that the host names; what it said before stands as
 * long as it says nothing. `epochs` are those that are listed.
 */
export function nodesOf(mesh: WireguardMesh, members: readonly Member[], epochs: readonly number[]): Planned {
  const former = new Map(mesh.status?.nodes?.map((node) => [node.name, node]));
  const nodes = members.flatMap(({ node, place }): MeshNode[] => {
    if (place === undefined) return [];
    const endpoint = endpointOfNode(node, mesh.spec.listenPort);
    const keys = node.status?.mesh?.keys ?? former.get(place.name)?.keys ?? [];
    return [
      {
        name: place.name,
        ...(endpoint === undefined ? { behindNAT: true } : { endpoint }),
        addresses: place.addresses,
        allowedIPs: place.podCIDRs,
        keys: keys.filter(({ epoch }) => epochs.includes(epoch)).sort((a, b) => a.epoch - b.epoch),
      },
    ];
  });
  nodes.sort((a, b) => (a.name < b.name ? -1 : 1));
  return withoutTwins(nodes, former);
}

/** Two hosts with one key, such as copies of one disk, would take each other's packets: who had it first keeps it. */
function withoutTwins(nodes: MeshNode[], former: ReadonlyMap<string, MeshNode>): Planned {
  const had = ({ name }: MeshNode, publicKey: string) =>
    former.get(name)?.keys.some((key) => key.publicKey === publicKey) ?? false;
  const owners = new Map<string, string>();
  for (const node of nodes) {
    for (const { publicKey } of node.keys) {
      if (!owners.has(publicKey) || had(node, publicKey)) owners.set(publicKey, node.name);
    }
  }
  const conflicts: Conflict[] = [];
  const unique = nodes.map((node) => {
    const keys = node.keys.filter(({ publicKey }) => owners.get(publicKey) === node.name);
    const stolen = node.keys.find(({ publicKey }) => owners.get(publicKey) !== node.name);
    if (stolen === undefined) return node;
    const message = `${node.name} has the same key as ${owners.get(stolen.publicKey)}, as copies of one disk do; on one of them, remove /var/lib/firn/wireguard and restart firn-mesh.service`;
    conflicts.push({ reason: 'MeshKeyNotUnique', message });
    return { ...node, keys };
  });
  return { nodes: unique, conflicts };
}
