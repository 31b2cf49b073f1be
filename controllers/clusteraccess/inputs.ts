/** Which objects an access is about, and what of them matters to it. */
import { ClusterAccess, type ClusterPKI, type NixCluster } from '../../crds/index.ts';
import { pkiLabel } from '../clusterpki/secret-names.ts';
import type { CacheReader, Index, ObjectMetadata, Woken } from '../lib/runtime/controller.ts';
import { apiAvailability } from '../nixcluster/access.ts';
import { clustersUsingPki } from '../nixcluster/relations.ts';

const accessesByCluster: Index<ClusterAccess> = {
  kind: ClusterAccess,
  valuesOf: ({ spec }) => [spec.clusterRef.name],
};
const accessesBySecret: Index<ClusterAccess> = {
  kind: ClusterAccess,
  valuesOf: ({ spec }) => [spec.secretName],
};

const woken = (index: Index<ClusterAccess>, namespace: string, name: string, read: CacheReader): Woken[] =>
  read.by(index, namespace, name).map(({ metadata }) => metadata);

export const accessesOfCluster = ({ metadata }: ObjectMetadata, read: CacheReader): Woken[] =>
  woken(accessesByCluster, metadata.namespace ?? '', metadata.name, read);

export const accessesOfPki = (pki: ObjectMetadata, read: CacheReader): Woken[] =>
  clustersUsingPki(pki, read).flatMap((cluster) => accessesOfCluster(cluster, read));

/** Its own Secret, and that of the authority. */
export function accessesOfSecret({ metadata }: ObjectMetadata, read: CacheReader): Woken[] {
  const { namespace = '', name, labels } = metadata;
  const pki = labels?.[pkiLabel];
  return [
    ...woken(accessesBySecret, namespace, name, read),
    ...(pki === undefined ? [] : accessesOfPki({ metadata: { ...metadata, name: pki } }, read)),
  ];
}

export const clusterForAccess = (cluster: NixCluster): unknown => [
  cluster.metadata.uid,
  cluster.metadata.deletionTimestamp !== undefined,
  cluster.spec.endpoint,
  cluster.spec.pkiRef,
  cluster.status?.version,
  apiAvailability(cluster),
];

export const pkiForAccess = ({ metadata, spec, status }: ClusterPKI): unknown => [
  metadata.uid,
  spec.keyAlgorithm,
  status?.authorities,
];
