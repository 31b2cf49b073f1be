/** ClusterAddons in a real API server, with the controller on them, and a second real one to which they are applied. */
import { clusterAddonController } from '../../controllers/clusteraddon/controller.ts';
import { addonLabel } from '../../controllers/clusteraddon/inventory.ts';
import { systemClock } from '../../controllers/lib/core/clock.ts';
import { KubeClient } from '../../controllers/lib/kube/client.ts';
import { kubeConfigFrom } from '../../controllers/lib/kube/config.ts';
import { createLogger } from '../../controllers/lib/runtime/log.ts';
import { Labelled } from '../../controllers/lib/target/labelled.ts';
import type { ClusterAddon, Condition } from '../../crds/index.ts';
import { startTestCluster, type TestCluster } from './cluster.ts';
import { eventually } from './eventually.ts';
import { expectHonestStatus } from './honest-status.ts';
import { clusterIn } from './nixclusters.ts';
import { type Fields, type Play, startPlay } from './play.ts';

export type SeenAddon = ClusterAddon & { status: NonNullable<ClusterAddon['status']> };

export type AddonPlay = Play & {
  target: TestCluster;
  /** kubectl at the target; throws where it fails. */
  there(args: string[], object?: Fields | Fields[]): Promise<string>;
  /** A namespace of the bootstrap cluster with a NixCluster `demo`. */
  newCluster(namespace: string): Promise<void>;
  get(namespace: string, name?: string): Promise<SeenAddon>;
  /** Waits until Ready has the reason for the spec as it is now, and gives the object. */
  until(namespace: string, reason: string, name?: string): Promise<SeenAddon>;
};

export async function startAddonPlay(): Promise<AddonPlay> {
  const target = await startTestCluster();
  const client = new KubeClient(kubeConfigFrom(target.kubeconfig), systemClock);
  const labelled = new Labelled({
    label: addonLabel,
    clock: systemClock,
    random: Math.random,
    log: createLogger({ level: 'silent' }),
  });
  const play = await startPlay(() => [clusterAddonController({ target: async () => client, labelled })]);
  const get: AddonPlay['get'] = async (namespace, name = 'demo') =>
    JSON.parse(await play.kubectl(['get', 'clusteraddon', name, '-n', namespace, '-o', 'json']));
  return {
    ...play,
    target,
    get,
    async there(args, object) {
      const items = Array.isArray(object) ? { apiVersion: 'v1', kind: 'List', items: object } : object;
      const { stdout, stderr, code } = await target.kubectl(args, items && JSON.stringify(items));
      expect({ args, code, stderr: code === 0 ? '' : stderr }).toEqual({ args, code: 0, stderr: '' });
      return stdout;
    },
    async newCluster(namespace) {
      await play.newNamespace(namespace);
      await play.apply([clusterIn(namespace)]);
    },
    until: (namespace, reason, name) =>
      eventually(async () => {
        const seen = await get(namespace, name);
        expect(readyOf(seen)).toMatchObject({ reason, observedGeneration: seen.metadata.generation });
        expectHonestStatus(seen);
        return seen;
      }, 30_000),
    async stop() {
      await play.stop();
      await client.close();
      await target.stop();
    },
  };
}

export const readyOf = ({ status }: SeenAddon): Condition | undefined =>
  status?.conditions?.find(({ type }) => type === 'Ready');

/** `manifests`: texts, or names of ConfigMaps after `configmap:`. */
export const addonIn = (
  namespace: string,
  manifests: readonly (string | Fields)[],
  spec: Fields = {},
  name = 'demo',
): Fields => ({
  apiVersion: 'firn.dev/v1alpha1',
  kind: 'ClusterAddon',
  metadata: { name, namespace },
  spec: {
    clusterRef: { name: 'demo' },
    manifests: manifests.map((one) => (typeof one === 'string' ? { inline: one } : { configMapRef: one })),
    ...spec,
  },
});
