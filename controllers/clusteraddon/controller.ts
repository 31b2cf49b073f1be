/** ClusterAddon: keeps manifests applied in a cluster that Firn made. Decisions are in the files beside this one. */
import { ClusterAddon, ClusterPKI, NixCluster, NixNode } from '../../crds/index.ts';
import { anyObjectsOf } from '../lib/kube/any-objects.ts';
import type { KubeClient } from '../lib/kube/client.ts';
import { ConfigMapKind, SecretKind } from '../lib/kube/core-kinds.ts';
import {
  type Controller,
  defineController,
  input,
  type Reader,
  referenced,
} from '../lib/runtime/controller.ts';
import { applyAll, type Result, withRest } from './apply.ts';
import { finalizeAddon } from './finalize.ts';
import { addonsOfCluster, addonsOfConfigMap, clusterForAddon } from './inputs.ts';
import { entryOf, together, without } from './inventory.ts';
import { takeAway } from './prune.ts';
import { checkHealth, healthFields } from './status.ts';
import { type AddonServices, clusterOf, manifestsOf, type Visit } from './visit.ts';

/** What others change in the cluster is found and put right after this long at the latest. */
const recheckMs = 60_000;

/** What the controller reads and writes, as data: roles are made from it. */
export const declaration = {
  name: 'clusteraddon',
  primary: ClusterAddon,
  inputs: [
    input(NixCluster, addonsOfCluster, clusterForAddon),
    referenced(ConfigMapKind, addonsOfConfigMap),
    // Read on the way into the cluster; what hinders that is tried again.
    input(NixNode, () => []),
    input(ClusterPKI, () => []),
    referenced(SecretKind, () => []),
  ],
  conditions: ['ManifestsRead', 'ClusterReached', 'Applied', 'Pruned', 'Healthy'],
  finalizer: 'firn.dev/clusteraddon',
} as const;

/** `target` throws `ReconcileError` in words where there is no way into the cluster. */
export function clusterAddonController(
  target: (cluster: NixCluster, read: Reader) => Promise<KubeClient>,
): Controller {
  const services: AddonServices = {
    objects: async (cluster, read) =>
      anyObjectsOf(await target(cluster, read), `NixCluster ${cluster.metadata.name}`),
  };
  return defineController<ClusterAddon>({
    ...declaration,

    async reconcile(addon, context) {
      const manifests = await context.step('ManifestsRead', () => manifestsOf(addon, context.read));
      const there = await context.step('ClusterReached', () =>
        services.objects(clusterOf(addon, context.read), context.read),
      );
      const inventory = [...(addon.status?.inventory ?? [])];
      const visit: Visit = { addon, context, there, manifests, inventory };
      const results: Result[] = [];
      try {
        await context.step('Applied', () => applyAll(visit, results));
        await context.step('Pruned', () => prune(visit));
      } finally {
        context.report(healthFields(withRest(manifests, results)));
      }
      await context.step('Healthy', () => checkHealth(results));
      context.summary('Healthy');
      return { recheckMs };
    },

    finalize: (addon, context) => finalizeAddon(addon, context, services),
  });
}

/** What left the manifests is forgotten once it is gone, or at once where it is to stay. */
async function prune(visit: Visit): Promise<void> {
  const { addon, context, manifests, inventory } = visit;
  const wanted = manifests.map(entryOf);
  if (addon.spec.prune) await takeAway(visit, without(inventory, wanted));
  context.report({ inventory: together([], wanted) });
}
