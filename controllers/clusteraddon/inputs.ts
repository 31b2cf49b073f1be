/** Which objects an addon is about, and what of them matters to it. */
import { ClusterAddon, type NixCluster } from '../../crds/index.ts';
import type { CacheReader, Index, ObjectMetadata, Woken } from '../lib/runtime/controller.ts';
import { apiAvailability } from '../nixcluster/access.ts';

const addonsByConfigMap: Index<ClusterAddon> = {
  kind: ClusterAddon,
  valuesOf: ({ spec }) => spec.manifests.flatMap(({ configMapRef }) => configMapRef?.name ?? []),
};
const addonsByCluster: Index<ClusterAddon> = {
  kind: ClusterAddon,
  valuesOf: ({ spec }) => [spec.clusterRef.name],
};

const woken = (
  index: Index<ClusterAddon>,
  { metadata: { namespace = '', name } }: ObjectMetadata,
  read: CacheReader,
): Woken[] => read.by(index, namespace, name).map(({ metadata }) => metadata);

export const addonsOfConfigMap = (configMap: ObjectMetadata, read: CacheReader): Woken[] =>
  woken(addonsByConfigMap, configMap, read);

export const addonsOfCluster = (cluster: ObjectMetadata, read: CacheReader): Woken[] =>
  woken(addonsByCluster, cluster, read);

export const clusterForAddon = (cluster: NixCluster): unknown => [
  cluster.metadata.uid,
  cluster.metadata.deletionTimestamp !== undefined,
  cluster.spec.endpoint,
  cluster.spec.access,
  cluster.status?.version,
  apiAvailability(cluster),
];
