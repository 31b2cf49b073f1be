/** Every controller of the operator. */
import type { NixCluster } from '../crds/index.ts';
import { declaration as clusterAccess, clusterAccessController } from './clusteraccess/controller.ts';
import { declaration as clusterAddon, clusterAddonController } from './clusteraddon/controller.ts';
import { addonLabel } from './clusteraddon/inventory.ts';
import { declaration as clusterFrontend, clusterFrontendController } from './clusterfrontend/controller.ts';
import { declaration as clusterPki, clusterPkiController } from './clusterpki/controller.ts';
import type { Expiries } from './clusterpki/visit.ts';
import type { Objects, Writes } from './lib/kube/objects.ts';
import type { Controller, Reader } from './lib/runtime/controller.ts';
import { targetAccess } from './nixcluster/access.ts';
import { declaration as nixCluster, nixClusterController } from './nixcluster/controller.ts';
import { declaration as nixNode, nixNodeController } from './nixnode/controller.ts';
import type { Services } from './nixnode/services.ts';
import { declaration as wireguardMesh, wireguardMeshController } from './wireguardmesh/controller.ts';

/** What they read and write, as data. */
export const declarations = [
  nixNode,
  nixCluster,
  wireguardMesh,
  clusterPki,
  clusterAccess,
  clusterAddon,
  clusterFrontend,
] as const;

/** `objects` lets a controller write what its declaration names; `expiries` is filled for metrics. */
export const controllersWith = (
  services: Services,
  objects: (declared: Writes) => Objects,
  expiries: Expiries = new Map(),
): Controller[] => {
  const target = async (cluster: NixCluster, read: Reader) =>
    services.targets.client(await targetAccess(cluster, read));
  const { randomBytes } = services;
  return [
    nixNodeController(services),
    nixClusterController({ objects: objects(nixCluster), targets: services.targets }),
    wireguardMeshController({ objects: objects(wireguardMesh), randomBytes }),
    clusterPkiController({
      objects: objects(clusterPki),
      randomBytes,
      expiries,
      target,
      rewritings: new Map(),
    }),
    clusterAccessController({ objects: objects(clusterAccess), randomBytes, target }),
    clusterAddonController({ target, labelled: services.targets.labelled(addonLabel) }),
    clusterFrontendController(target),
  ];
};
