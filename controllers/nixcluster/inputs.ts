/** Which objects a cluster is made of, and what of them matters to it. Their statuses say more, and say it more often. */
import { type ClusterPKI, NixCluster, type NixNode, type WireguardMesh } from '../../crds/index.ts';
import type { CacheReader, Index, ObjectKey } from '../lib/runtime/controller.ts';

const clustersByMesh: Index<NixCluster> = {
  kind: NixCluster,
  valuesOf: ({ spec }) => (spec.network.meshRef ? [spec.network.meshRef.name] : []),
};
const clustersByPki: Index<NixCluster> = {
  kind: NixCluster,
  valuesOf: ({ metadata, spec }) => [spec.pkiRef?.name ?? metadata.name],
};

const keysOf = (clusters: readonly NixCluster[]): ObjectKey[] =>
  clusters.map(({ metadata }) => ({ namespace: metadata.namespace ?? '', name: metadata.name }));

export const clusterOfNode = ({ metadata, spec }: NixNode): ObjectKey[] =>
  spec.clusterRef ? [{ namespace: metadata.namespace ?? '', name: spec.clusterRef.name }] : [];

export const clustersOfMesh = ({ metadata }: WireguardMesh, read: CacheReader): ObjectKey[] =>
  keysOf(read.by(clustersByMesh, metadata.namespace ?? '', metadata.name));

export const clustersOfPki = ({ metadata }: ClusterPKI, read: CacheReader): ObjectKey[] =>
  keysOf(read.by(clustersByPki, metadata.namespace ?? '', metadata.name));

export const nodeForCluster = ({ metadata, spec, status }: NixNode): unknown => [
  metadata.uid,
  metadata.deletionTimestamp !== undefined,
  spec.index,
  spec.addresses,
  spec.ssh.host,
  status?.member,
  status?.nixpkgs,
  status?.lastObserved !== undefined,
  status?.facts?.addresses,
  status?.deletion?.outcome,
  status?.conditions
    ?.filter(({ type }) => ['Ready', 'Reachable', 'Stalled'].includes(type))
    .map(({ type, status, reason }) => [type, status, reason]),
];

export const meshForCluster = ({ metadata, spec }: WireguardMesh): unknown => [
  metadata.uid,
  spec.externalPeers,
];

export const pkiForCluster = ({ metadata }: ClusterPKI): unknown => metadata.uid;
