import { ClusterAccess } from './clusteraccess.ts';
import { ClusterAddon } from './clusteraddon.ts';
import { ClusterFrontend } from './clusterfrontend.ts';
import { ClusterPKI } from './clusterpki.ts';
import type { FirnKind } from './kind.ts';
import { NixCluster } from './nixcluster.ts';
import { NixModule } from './nixmodule.ts';
import { NixNode } from './nixnode.ts';
import type { KubeObject } from './resource.ts';
import { WireguardMesh } from './wireguardmesh.ts';

/** Every kind of ours, in the order in which the reference lists them. */
export const firnKinds: readonly FirnKind<KubeObject>[] = [
  NixNode,
  NixModule,
  NixCluster,
  WireguardMesh,
  ClusterPKI,
  ClusterAccess,
  ClusterAddon,
  ClusterFrontend,
];
