/** Every controller of the operator. */
import { declaration as clusterPki, clusterPkiController } from './clusterpki/controller.ts';
import type { Expiries } from './clusterpki/visit.ts';
import type { Objects, Writes } from './lib/kube/objects.ts';
import type { Controller } from './lib/runtime/controller.ts';
import { declaration as nixCluster, nixClusterController } from './nixcluster/controller.ts';
import { declaration as nixNode, nixNodeController } from './nixnode/controller.ts';
import type { Services } from './nixnode/services.ts';
import { declaration as wireguardMesh, wireguardMeshController } from './wireguardmesh/controller.ts';

/** What they read and write, as data. */
export const declarations = [nixNode, nixCluster, wireguardMesh, clusterPki] as const;

/** `objects` lets a controller write what its declaration names; `expiries` is filled for metrics. */
export const controllersWith = (
  services: Services,
  objects: (declared: Writes) => Objects,
  expiries: Expiries = new Map(),
): Controller[] => [
  nixNodeController(services),
  nixClusterController({ objects: objects(nixCluster), targets: services.targets }),
  wireguardMeshController({ objects: objects(wireguardMesh), randomBytes: services.randomBytes }),
  clusterPkiController({ objects: objects(clusterPki), randomBytes: services.randomBytes, expiries }),
];
