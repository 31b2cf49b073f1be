/** Which objects of its cluster a NixNode is made of, and whom their changes concern. */
import { ClusterPKI, type NixCluster, WireguardMesh } from '../../crds/index.ts';
import type { CacheReader, Index, Woken } from '../lib/runtime/controller.ts';
import {
  clustersUsingMesh,
  clustersUsingPki,
  etcdMemberOf,
  metadataOf,
  type Named,
  nodesNaming,
  placesIn,
} from '../nixcluster/relations.ts';
import { readByNodes } from '../wireguardmesh/peers.ts';

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

const pkisBySecret: Index<ClusterPKI> = {
  kind: ClusterPKI,
  valuesOf: (pki) => Object.values(pkiSecretsOf(pki) ?? {}),
};
const meshesBySecret: Index<WireguardMesh> = {
  kind: WireguardMesh,
  valuesOf: (mesh) => [meshSecretOf(mesh)].filter((name) => name !== undefined),
};

export const nodesOfCluster = (cluster: Named, read: CacheReader): Woken[] =>
  nodesNaming(cluster, read).map(metadataOf);

export const nodesOfPki = (pki: Named, read: CacheReader): Woken[] =>
  clustersUsingPki(pki, read).flatMap((cluster) => nodesOfCluster(cluster, read));

export const nodesOfMesh = (mesh: Named, read: CacheReader): Woken[] =>
  clustersUsingMesh(mesh, read).flatMap((cluster) => nodesOfCluster(cluster, read));

/** Nodes whose certificates or preshared keys come from a Secret. */
export function nodesOfClusterSecret({ metadata }: Named, read: CacheReader): Woken[] {
  const { namespace = '', name } = metadata;
  return [
    ...read.by(pkisBySecret, namespace, name).flatMap((pki) => nodesOfPki(pki, read)),
    ...read.by(meshesBySecret, namespace, name).flatMap((mesh) => nodesOfMesh(mesh, read)),
  ];
}

// What of each of these objects a host's release follows from. Their statuses say more, and say it more often.

export const clusterForNodes = ({ metadata, spec, status }: NixCluster): unknown => [
  metadata.uid,
  metadata.deletionTimestamp !== undefined,
  spec,
  placesIn(status),
  status?.etcd?.transport,
  status?.nixpkgs,
  status?.kubernetes?.sources,
  status?.resolver,
];

/** How far a node may go, and how it is, is for that node alone: a roll-out must not wake a thousand for each step. */
export function clusterForNode(cluster: NixCluster): (node: Woken) => unknown {
  const { nodes: places = [], etcd } = cluster.status ?? {};
  const nodes = new Map(places.map((node) => [node.name, node]));
  const initial = etcd?.initial;
  return ({ name }) => [
    nodes.get(name),
    initial?.for.includes(name) && initial,
    isMemberAiling(cluster, name),
  ];
}

/** Whether etcd misses the member of a node: what its host has of it may have changed. */
export const isMemberAiling = (cluster: NixCluster, name: string): boolean =>
  etcdMemberOf(cluster, name)?.healthy === false;

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
