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
import type { Labelled } from '../lib/target/labelled.ts';
import { applyAll, type Progress, type Result, withRest } from './apply.ts';
import { finalizeAddon } from './finalize.ts';
import { addonsOfCluster, addonsOfConfigMap, clusterForAddon } from './inputs.ts';
import { entryOf, together, without } from './inventory.ts';
import { Memories } from './memory.ts';
import { takeAway } from './prune.ts';
import { checkHealth, healthFields } from './status.ts';
import { type AddonServices, sourcesOf, type There, type Visit } from './visit.ts';

/** Where the cluster does not tell of all changes, they are found and put right after this long at the latest. */
const unfollowedMs = 60_000;
/** Where it does, this is the net below. */
const followedMs = 600_000;

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

type Given = {
  /** Throws `ReconcileError` in words where there is no way into the cluster. */
  target(cluster: NixCluster, read: Reader): Promise<KubeClient>;
  /** Follows what bears the label of an addon. */
  labelled: Labelled;
};

function servicesOf({ target, labelled }: Given): AddonServices {
  return {
    async there({ metadata: { namespace = '', name } }, cluster, read) {
      const client = await target(cluster, read);
      const { uid } = cluster.metadata;
      return {
        ...anyObjectsOf(client, `NixCluster ${cluster.metadata.name}`),
        versionOf: (kind, object) => labelled.versionOf(uid, kind, object),
        follow: (kinds) => labelled.follow({ namespace, name, cluster: uid }, client, kinds),
      };
    },
  };
}

export function clusterAddonController(given: Given): Controller {
  const services = servicesOf(given);
  const memories = new Memories();
  return defineController<ClusterAddon>({
    ...declaration,
    source: given.labelled,

    async reconcile(addon, context) {
      const { read } = context;
      const memory = await context.step('ManifestsRead', async () =>
        memories.of(addon.metadata.uid, await sourcesOf(addon, read)),
      );
      const there = await context.step('ClusterReached', () => reach(addon, read, given.labelled, services));
      const inventory = [...(addon.status?.inventory ?? [])];
      const { results, followed } = await keep({ addon, context, there, memory, inventory });
      await context.step('Healthy', () => checkHealth(results, followed));
      context.summary('Healthy');
      return { recheckMs: followed ? followedMs : unfollowedMs };
    },

    async finalize(addon, context) {
      const outcome = await finalizeAddon(addon, context, services);
      memories.forget(addon.metadata.uid);
      return outcome;
    },
  });
}

async function reach(
  addon: ClusterAddon,
  read: Reader,
  labelled: Labelled,
  services: AddonServices,
): Promise<There> {
  const { namespace = '', name } = addon.metadata;
  const cluster = addon.spec.clusterRef.name;
  // Nobody would tell anything any more.
  if (!read.get(NixCluster, namespace, cluster)) labelled.forget({ namespace, name });
  return services.there(addon, read.require(NixCluster, namespace, cluster), read);
}

async function keep(visit: Visit): Promise<{ results: Result[]; followed: boolean }> {
  const { context, there, memory } = visit;
  const progress: Progress = { results: [], kinds: new Set() };
  let followed = false;
  try {
    await context.step('Applied', () => applyAll(visit, progress));
    await context.step('Pruned', () => prune(visit));
  } finally {
    // What is wrong now may be put right in the cluster.
    if (progress.kinds.size > 0) followed = there.follow([...progress.kinds]);
    context.report(healthFields(withRest(memory.manifests, progress.results)));
  }
  return { results: progress.results, followed };
}

/** What left the manifests is forgotten once it is gone, or at once where it is to stay. */
async function prune(visit: Visit): Promise<void> {
  const { addon, context, memory, inventory } = visit;
  const wanted = memory.manifests.map(entryOf);
  if (addon.spec.prune) await takeAway(visit, without(inventory, wanted));
  context.report({ inventory: together([], wanted) });
}
