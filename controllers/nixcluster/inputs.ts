/** Which objects a cluster is made of, and what of them matters to it. Their statuses say more, and say it more often. */
import type { ClusterPKI, NixNode, WireguardMesh } from '../../crds/index.ts';
import type { CacheReader, Woken } from '../lib/runtime/controller.ts';
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
  spec.ssh.host,
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

export const pkiForCluster = ({ metadata }: ClusterPKI): unknown => metadata.uid;

/** Of a release: what there is to change beside data and secrets, which each node takes up by itself. */
const changeOf = (release: NonNullable<NixNode['status']>['release']): unknown => [
  release?.confirmed !== undefined,
  release?.class === 'system' && [release.desired, release.built, release.stopsPods],
];
