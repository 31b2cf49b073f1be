/** Which objects of its cluster a NixNode is made of, and whom their changes concern. */
import { ClusterPKI, NixCluster, NixNode, WireguardMesh } from '../../crds/index.ts';
import type { CacheReader, Index, ObjectKey } from '../lib/runtime/controller.ts';
import { readByNodes } from '../wireguardmesh/peers.ts';

/** The ClusterPKI of a cluster: the one that it names, or the one of its own name. */
export const pkiOf = (cluster: NixCluster): string => cluster.spec.pkiRef?.name ?? cluster.metadata.name;

export type PkiSecrets = Record<'cluster' | 'etcd' | 'frontProxy' | 'serviceAccount' | 'encryption', string>;

/** Names of the Secrets; undefined until all of them are there. */
export function pkiSecretsOf({ status }: ClusterPKI): PkiSecrets | undefined {
  const authority = (name: string) => status?.authorities?.find((one) => one.name === name)?.secretName;
  const cluster = authority('cluster');
  const etcd = authority('etcd');
  const frontProxy = authority('front-proxy');
  const serviceAccount = status?.serviceAccount?.secretName;
  const encryption = status?.encryption?.secretName;
  return cluster && etcd && frontProxy && serviceAccount && encryption
    ? { cluster, etcd, frontProxy, serviceAccount, encryption }
    : undefined;
}

/** The Secret that preshared keys are derived from. */
export const meshSecretOf = ({ status }: WireguardMesh): string | undefined => status?.secretName;

const nodesByCluster: Index<NixNode> = {
  kind: NixNode,
  valuesOf: ({ spec }) => (spec.clusterRef ? [spec.clusterRef.name] : []),
};
const clustersByPki: Index<NixCluster> = { kind: NixCluster, valuesOf: (cluster) => [pkiOf(cluster)] };
const clustersByMesh: Index<NixCluster> = {
  kind: NixCluster,
  valuesOf: ({ spec }) => (spec.network.meshRef ? [spec.network.meshRef.name] : []),
};
const pkisBySecret: Index<ClusterPKI> = {
  kind: ClusterPKI,
  valuesOf: (pki) => Object.values(pkiSecretsOf(pki) ?? {}),
};
const meshesBySecret: Index<WireguardMesh> = {
  kind: WireguardMesh,
  valuesOf: (mesh) => [meshSecretOf(mesh)].filter((name) => name !== undefined),
};

type Named = { metadata: { name: string; namespace?: string } };
const placeOf = ({ metadata }: Named): [string, string] => [metadata.namespace ?? '', metadata.name];
const keyOf = (object: Named): ObjectKey => {
  const [namespace, name] = placeOf(object);
  return { namespace, name };
};

export const nodesOfCluster = (cluster: Named, read: CacheReader): ObjectKey[] =>
  read.by(nodesByCluster, ...placeOf(cluster)).map(keyOf);

export const nodesOfPki = (pki: Named, read: CacheReader): ObjectKey[] =>
  read.by(clustersByPki, ...placeOf(pki)).flatMap((cluster) => nodesOfCluster(cluster, read));

export const nodesOfMesh = (mesh: Named, read: CacheReader): ObjectKey[] =>
  read.by(clustersByMesh, ...placeOf(mesh)).flatMap((cluster) => nodesOfCluster(cluster, read));

/** Nodes whose certificates or preshared keys come from a Secret. */
export const nodesOfClusterSecret = (secret: Named, read: CacheReader): ObjectKey[] => [
  ...read.by(pkisBySecret, ...placeOf(secret)).flatMap((pki) => nodesOfPki(pki, read)),
  ...read.by(meshesBySecret, ...placeOf(secret)).flatMap((mesh) => nodesOfMesh(mesh, read)),
];

// What of each of these objects a host's release follows from. Their statuses say more, and say it more often.

export const clusterForNodes = ({ metadata, spec, status }: NixCluster): unknown => [
  metadata.uid,
  spec,
  status?.nodes,
  status?.nixpkgs,
  status?.resolver,
];

export const meshForNodes = (mesh: WireguardMesh): unknown => [
  mesh.metadata.uid,
  readByNodes(mesh),
  mesh.status?.secretName,
];

export const pkiForNodes = ({ metadata, spec, status }: ClusterPKI): unknown => [
  metadata.uid,
  spec,
  status?.authorities,
  status?.serviceAccount,
  status?.encryption,
];
