/** Which objects a mesh is made of, and what of them matters to it. */
import { NixCluster, NixNode, WireguardMesh } from '../../crds/index.ts';
import type { CacheReader, Index, ObjectKey, ObjectMetadata } from '../lib/runtime/controller.ts';

/** The Secret of a mesh. */
export const secretNameOf = (mesh: string): string => `${mesh}-mesh`;

export const clustersByMesh: Index<NixCluster> = {
  kind: NixCluster,
  valuesOf: ({ spec }) => (spec.network.meshRef ? [spec.network.meshRef.name] : []),
};
export const nodesByCluster: Index<NixNode> = {
  kind: NixNode,
  valuesOf: ({ spec }) => (spec.clusterRef ? [spec.clusterRef.name] : []),
};

const placeOf = ({ metadata }: ObjectMetadata): { namespace: string; name: string } => ({
  namespace: metadata.namespace ?? '',
  name: metadata.name,
});

export const meshesOfCluster = (cluster: NixCluster): ObjectKey[] =>
  [...clustersByMesh.valuesOf(cluster)].map((name) => ({ namespace: placeOf(cluster).namespace, name }));

export function meshesOfNode(node: NixNode, read: CacheReader): ObjectKey[] {
  const { namespace } = placeOf(node);
  const cluster = node.spec.clusterRef && read.get(NixCluster, namespace, node.spec.clusterRef.name);
  return cluster ? meshesOfCluster(cluster) : [];
}

export function meshesOfSecret(secret: ObjectMetadata, read: CacheReader): ObjectKey[] {
  const { namespace, name } = placeOf(secret);
  return read
    .list(WireguardMesh, namespace)
    .filter((mesh) => secretNameOf(mesh.metadata.name) === name)
    .map(placeOf);
}

// What of each of these objects the mesh follows from. Their statuses say more, and say it more often.

export const clusterForMesh = ({ metadata, spec, status }: NixCluster): unknown => [
  metadata.uid,
  spec.network,
  spec.endpoint,
  status?.nodes,
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
