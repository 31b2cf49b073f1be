/**
 * How a cluster, its nodes, its mesh and its keys are found from each other, by whichever controller. Each index is there
 * once: the cache keeps every one that is used up to date with every change.
 */
import { type EtcdMember, type KubeObject, NixCluster, NixNode } from '../../crds/index.ts';
import type { CacheReader, Index, Woken } from '../lib/runtime/controller.ts';

/** The ClusterPKI of a cluster: the one that it names, or the one of its own name. */
export const pkiOf = ({ metadata, spec }: NixCluster): string => spec.pkiRef?.name ?? metadata.name;

const nodesByCluster: Index<NixNode> = {
  kind: NixNode,
  valuesOf: ({ spec }) => (spec.clusterRef ? [spec.clusterRef.name] : []),
};
const clustersByPki: Index<NixCluster> = { kind: NixCluster, valuesOf: (cluster) => [pkiOf(cluster)] };
const clustersByMesh: Index<NixCluster> = {
  kind: NixCluster,
  valuesOf: ({ spec }) => (spec.network.meshRef ? [spec.network.meshRef.name] : []),
};

export type Named = { readonly metadata: Woken };

const by = <O extends KubeObject>(index: Index<O>, { metadata }: Named, read: CacheReader): readonly O[] =>
  read.by(index, metadata.namespace ?? '', metadata.name);

export const clustersUsingPki = (pki: Named, read: CacheReader) => by(clustersByPki, pki, read);
export const clustersUsingMesh = (mesh: Named, read: CacheReader) => by(clustersByMesh, mesh, read);
/** To wake them; who is a member is asked of `nodesIn`. */
export const nodesNaming = (cluster: Named, read: CacheReader) => by(nodesByCluster, cluster, read);

/** As `keysOf` of an input wants them. */
export const metadataOf = ({ metadata }: Named): Woken => metadata;

/** Undefined for a node of no cluster, and of one that is not there. */
export const clusterNamedBy = ({ metadata, spec }: NixNode, read: CacheReader): NixCluster | undefined =>
  spec.clusterRef && read.get(NixCluster, metadata.namespace ?? '', spec.clusterRef.name);

/** The members of a cluster. Not by an index: a NixNode that does not parse is in none, and would seem to have left. */
export const nodesIn = ({ metadata }: NixCluster, read: CacheReader): NixNode[] =>
  read.list(NixNode, metadata.namespace ?? '').filter(({ spec }) => spec.clusterRef?.name === metadata.name);

/** The member of etcd of the node of that name, as status has it. */
export const etcdMemberOf = ({ status }: NixCluster, name: string): EtcdMember | undefined =>
  status?.etcd?.members?.find(({ node }) => node === name);

/** What every node, and the mesh, may have to know of each. How far a node is on its way is for that node alone. */
export const placesIn = (status: NixCluster['status']): unknown =>
  status?.nodes?.map(({ kubernetes, granted, restart, rollout, departure, node, ...place }) => place);
