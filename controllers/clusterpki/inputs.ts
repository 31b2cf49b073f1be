/** Which objects a ClusterPKI is about, and what of them matters to it. */
import { ClusterPKI, NixCluster, type NixNode } from '../../crds/index.ts';
import type { CacheReader, Index, ObjectKey, ObjectMetadata } from '../lib/runtime/controller.ts';
import { pkiOf } from '../nixnode/cluster-sources.ts';
import { secretNamesOf } from './secret-names.ts';

const pkisBySecret: Index<ClusterPKI> = {
  kind: ClusterPKI,
  valuesOf: ({ metadata, spec }) => [
    ...secretNamesOf(metadata.name),
    ...[spec.import?.cluster, spec.import?.etcd, spec.import?.frontProxy].flatMap((one) => one?.name ?? []),
  ],
};

export const pkisOfSecret = ({ metadata }: ObjectMetadata, read: CacheReader): ObjectKey[] =>
  read.by(pkisBySecret, metadata.namespace ?? '', metadata.name).map((pki) => ({
    namespace: pki.metadata.namespace ?? '',
    name: pki.metadata.name,
  }));

export const pkiOfCluster = (cluster: NixCluster): ObjectKey[] => [
  { namespace: cluster.metadata.namespace ?? '', name: pkiOf(cluster) },
];

export function pkiOfNode({ metadata, spec }: NixNode, read: CacheReader): ObjectKey[] {
  if (!spec.clusterRef) return [];
  const cluster = read.get(NixCluster, metadata.namespace ?? '', spec.clusterRef.name);
  return cluster ? pkiOfCluster(cluster) : [];
}

export const clusterForPki = ({ metadata, spec, status }: NixCluster): unknown => [
  metadata.uid,
  metadata.deletionTimestamp !== undefined,
  spec.pkiRef,
  status?.version,
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
