/** The API of Firn: every kind as a type and as a value of the same name. The only barrel of the project. */
export { isAddress } from './address.ts';
export { type Bind, parseBind } from './bind.ts';
export { ClusterAccess } from './clusteraccess.ts';
export { ClusterAddon } from './clusteraddon.ts';
export type { ClusterAddonSpec, ManifestSource } from './clusteraddon-spec.ts';
export {
  type AppliedObject,
  type ClusterAddonStatus,
  maxObjects,
  type TroubledObject,
} from './clusteraddon-status.ts';
export { ClusterFrontend } from './clusterfrontend.ts';
export type { ClusterFrontendSpec } from './clusterfrontend-spec.ts';
export type { ClusterFrontendStatus, FrontendNode } from './clusterfrontend-status.ts';
export { ClusterPKI } from './clusterpki.ts';
export type { ClusterPKISpec } from './clusterpki-spec.ts';
export type { ClusterPKIStatus } from './clusterpki-status.ts';
export { type Condition, type KeyReference, type LabelSelector, selects } from './common.ts';
export type { DeliveredFile, NixModuleSource } from './content.ts';
export { parseDuration } from './duration.ts';
export type { FirnKind } from './kind.ts';
export {
  type ComponentGroup,
  type ComponentVersions,
  componentGroups,
  type KubernetesOfHost,
  type KubernetesSource,
  minorNumber,
  minorText,
} from './kubernetes-versions.ts';
export { NixCluster } from './nixcluster.ts';
export type { ClusterNetwork } from './nixcluster-network.ts';
export type { NixClusterSpec } from './nixcluster-spec.ts';
export type {
  ClusterEtcd,
  ClusterNode,
  ClusterPin,
  EtcdInitial,
  EtcdMember,
  NixClusterStatus,
  RetiredIndex,
} from './nixcluster-status.ts';
export { NixModule, type NixModuleSpec } from './nixmodule.ts';
export { NixNode } from './nixnode.ts';
export type { NixNodeSpec, Role } from './nixnode-spec.ts';
export { type NixNodeStatus, originNames } from './nixnode-status.ts';
export { apiVersionOf, type KubeObject, type Metadata, type ResourceKind } from './resource.ts';
export { WireguardMesh } from './wireguardmesh.ts';
export type { ExternalPeer, WireguardMeshSpec } from './wireguardmesh-spec.ts';
export type { MeshNode, MeshPair, Rotation, WireguardMeshStatus } from './wireguardmesh-status.ts';
