/** Which objects a cluster is made of, and what of them matters to it. Their statuses say more, and say it more often. */
import { ClusterPKI, NixNode, type WireguardMesh } from '../../crds/index.ts';
import type { CacheReader, Index, ObjectMetadata, Woken } from '../lib/runtime/controller.ts';
import { clustersUsingMesh, clustersUsingPki, metadataOf } from './relations.ts';

export const clusterOfNode = ({ metadata: { namespace = '' }, spec }: NixNode): Woken[] =>
  spec.clusterRef ? [{ namespace, name: spec.clusterRef.name }] : [];

export const clustersOfMesh = (mesh: WireguardMesh, read: CacheReader): Woken[] =>
  clustersUsingMesh(mesh, read).map(metadataOf);

export const clustersOfPki = (pki: ClusterPKI, read: CacheReader): Woken[] =>
  clustersUsingPki(pki, read).map(metadataOf);

export const nodeForCluster = ({ metadata, spec, status }: NixNode): unknown => [
  metadata.uid,
  metadata.deletionTimestamp !== undefined,
  spec.index,
  spec.roles,
  spec.addresses,
  spec.ssh,
  spec.kubernetes,
  status?.ssh?.hostKeys,
  status?.member,
  status?.nixpkgs,
  status?.kubernetesNixpkgs,
  status?.lastObserved !== undefined,
  status?.facts?.addresses,
  status?.deletion?.outcome,
  status?.etcd,
  [spec.deploy.mode, spec.deploy.reboot],
  changeOf(status?.release),
  status?.rebootDue,
  status?.conditions
    ?.filter(({ type }) => ['Ready', 'Reachable', 'Applied', 'Healthy', 'Stalled'].includes(type))
    .map(({ type, status, reason }) => [type, status, reason]),
];

export const meshForCluster = ({ metadata, spec }: WireguardMesh): unknown => [
  metadata.uid,
  spec.externalPeers,
];

export const pkiForCluster = ({ metadata, status }: ClusterPKI): unknown => [
  metadata.uid,
  authoritySecretsOf(status),
];

/** Of the authorities by which the operator is known in the cluster, and to its etcd. */
const authoritySecretsOf = (status: ClusterPKI['status']): string[] =>
  (status?.authorities ?? [])
    .filter(({ name }) => name === 'cluster' || name === 'etcd')
    .map(({ secretName }) => secretName);

const pkisByAuthority: Index<ClusterPKI> = {
  kind: ClusterPKI,
  valuesOf: ({ status }) => authoritySecretsOf(status),
};
/** Control-plane nodes by the keys with which their hosts are logged in to. */
const nodesByLogin: Index<NixNode> = {
  kind: NixNode,
  valuesOf: ({ spec }) =>
    spec.roles.includes('control-plane')
      ? [spec.ssh.keyRef.name, ...(spec.ssh.jump ? [spec.ssh.jump.keyRef.name] : [])]
      : [],
};

/** Clusters that are got into by what a Secret holds. */
export function clustersOfSecret({ metadata }: ObjectMetadata, read: CacheReader): Woken[] {
  const { namespace = '', name } = metadata;
  return [
    ...read.by(pkisByAuthority, namespace, name).flatMap((pki) => clustersOfPki(pki, read)),
    ...read.by(nodesByLogin, namespace, name).flatMap(clusterOfNode),
  ];
}

/** Of a release: what needs a turn. All else of data and secrets each node takes up by itself. */
const changeOf = (release: NonNullable<NixNode['status']>['release']): unknown => [
  release?.confirmed !== undefined,
  release?.restartsServers,
  (release?.class === 'system' || release?.restartsServers) && [
    release.desired,
    release.built,
    release.stopsPods,
  ],
];
