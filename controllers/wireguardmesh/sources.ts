/** Which objects a mesh is made of, and what of them matters to it. */
import { type NixCluster, type NixNode, WireguardMesh } from '../../crds/index.ts';
import type { CacheReader, ObjectMetadata, Woken } from '../lib/runtime/controller.ts';
import { clusterNamedBy, metadataOf, placesIn } from '../nixcluster/relations.ts';

/** The Secret of a mesh. */
export const secretNameOf = (mesh: string): string => `${mesh}-mesh`;

export const meshOfCluster = ({ metadata: { namespace = '' }, spec }: NixCluster): Woken[] =>
  spec.network.meshRef ? [{ namespace, name: spec.network.meshRef.name }] : [];

export function meshOfNode(node: NixNode, read: CacheReader): Woken[] {
  const cluster = clusterNamedBy(node, read);
  return cluster ? meshOfCluster(cluster) : [];
}

export const meshesOfSecret = ({ metadata }: ObjectMetadata, read: CacheReader): Woken[] =>
  read
    .list(WireguardMesh, metadata.namespace ?? '')
    .filter((mesh) => secretNameOf(mesh.metadata.name) === metadata.name)
    .map(metadataOf);

// What of each of these objects the mesh follows from. Their statuses say more, and say it more often.

export const clusterForMesh = ({ metadata, spec, status }: NixCluster): unknown => [
  metadata.uid,
  spec.network,
  spec.endpoint,
  placesIn(status),
];

export const nodeForMesh = ({ metadata, spec, status }: NixNode): unknown => {
  const reachable = status?.conditions?.find(({ type }) => type === 'Reachable');
  return [
    metadata.uid,
    metadata.deletionTimestamp !== undefined,
    spec.clusterRef,
    spec.mesh,
    spec.addresses,
    spec.ssh.host,
    spec.ssh.port,
    status?.lastObserved !== undefined,
    status?.member,
    status?.mesh,
    [reachable?.status, reachable?.reason],
  ];
};
