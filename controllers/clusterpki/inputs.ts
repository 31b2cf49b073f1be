/** Which objects a ClusterPKI is about, and what of them matters to it. */
import { ClusterPKI, type NixCluster, type NixNode } from '../../crds/index.ts';
import type { CacheReader, Index, ObjectMetadata, Woken } from '../lib/runtime/controller.ts';
import { clusterNamedBy, metadataOf, pkiOf } from '../nixcluster/relations.ts';
import { secretNamesOf } from './secret-names.ts';

const pkisBySecret: Index<ClusterPKI> = {
  kind: ClusterPKI,
  valuesOf: ({ metadata, spec }) => [
    ...secretNamesOf(metadata.name),
    ...[spec.import?.cluster, spec.import?.etcd, spec.import?.frontProxy].flatMap((one) => one?.name ?? []),
  ],
};

export const pkisOfSecret = ({ metadata }: ObjectMetadata, read: CacheReader): Woken[] =>
  read.by(pkisBySecret, metadata.namespace ?? '', metadata.name).map(metadataOf);

export const pkiOfCluster = (cluster: NixCluster): Woken[] => [
  { namespace: cluster.metadata.namespace ?? '', name: pkiOf(cluster) },
];

export function pkiOfNode(node: NixNode, read: CacheReader): Woken[] {
  const cluster = clusterNamedBy(node, read);
  return cluster ? pkiOfCluster(cluster) : [];
}

export const clusterForPki = ({ metadata, spec, status }: NixCluster): unknown => [
  metadata.uid,
  metadata.deletionTimestamp !== undefined,
  spec.pkiRef,
  status?.kubernetes?.version,
];

export const nodeForPki = ({ metadata, spec, status }: NixNode): unknown => [
  metadata.uid,
  spec.clusterRef,
  spec.roles,
  status?.lastObserved !== undefined,
  status?.pki,
  status?.release?.current,
  status?.release?.confirmed,
];
