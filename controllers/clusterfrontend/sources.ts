/** How frontends and the nodes that may serve them are found from each other, and what of each matters to the other. */
import { ClusterFrontend, type NixCluster, type NixNode } from '../../crds/index.ts';
import type { CacheReader, Index, Woken } from '../lib/runtime/controller.ts';
import { apiAvailability } from '../nixcluster/access.ts';
import { metadataOf, type Named, nodesNaming } from '../nixcluster/relations.ts';

const frontendsByCluster: Index<ClusterFrontend> = {
  kind: ClusterFrontend,
  valuesOf: ({ spec }) => [spec.clusterRef.name],
};

/** Those of a cluster, whichever nodes serve them. */
export const frontendsNaming = ({ metadata }: Named, read: CacheReader): readonly ClusterFrontend[] =>
  read.by(frontendsByCluster, metadata.namespace ?? '', metadata.name);

export const frontendsOfCluster = (cluster: Named, read: CacheReader): Woken[] =>
  frontendsNaming(cluster, read).map(metadataOf);

/** All of its cluster's: one that comes may take a port from none, and one that goes may leave it to any. */
export function frontendsOfNode({ metadata, spec }: NixNode, read: CacheReader): Woken[] {
  if (!spec.clusterRef || !spec.roles.includes('frontend')) return [];
  const { namespace = '' } = metadata;
  return frontendsOfCluster({ metadata: { namespace, name: spec.clusterRef.name } }, read);
}

/** All that may want the same ports: the one that it takes from another, or leaves to it, is told by nobody else. */
export const frontendsBeside = ({ metadata, spec }: ClusterFrontend, read: CacheReader): Woken[] =>
  frontendsOfCluster({ metadata: { namespace: metadata.namespace ?? '', name: spec.clusterRef.name } }, read);

/** Nodes to wake when a frontend changes. */
export function nodesOfFrontend({ metadata, spec }: ClusterFrontend, read: CacheReader): Woken[] {
  const { namespace = '' } = metadata;
  return nodesNaming({ metadata: { namespace, name: spec.clusterRef.name } }, read)
    .filter((node) => node.spec.roles.includes('frontend'))
    .map(metadataOf);
}

// What of each of these objects matters. Their statuses say more, and say it more often.

export const frontendForOthers = ({ metadata, spec }: ClusterFrontend): unknown => [
  metadata.uid,
  metadata.creationTimestamp,
  spec,
];

export const clusterForFrontends = (cluster: NixCluster): unknown => [
  cluster.metadata.uid,
  apiAvailability(cluster),
];

export const nodeForFrontends = ({ metadata, spec, status }: NixNode): unknown => {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  return [
    metadata.uid,
    metadata.labels,
    spec.roles,
    spec.ssh.port,
    status?.frontends,
    status?.facts?.addresses,
    [ready?.status, ready?.reason],
  ];
};
