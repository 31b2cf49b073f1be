/** NixClusters in a real API server, with the controller on them and no hosts: members say what a test has them say. */
import { objectsOf } from '../../controllers/lib/kube/objects.ts';
import { declaration, nixClusterController } from '../../controllers/nixcluster/controller.ts';
import type { Condition, NixCluster } from '../../crds/index.ts';
import { type Fields, type Play, startPlay } from './play.ts';
import { startTargets } from './targets.ts';

export type SeenCluster = NixCluster & { status: NonNullable<NixCluster['status']> };

export type ClusterPlay = Play & {
  /** Of a host that answers; `status` says what else. */
  hostSays(namespace: string, name: string, status: Fields): Promise<string>;
  get(namespace: string): Promise<SeenCluster>;
};

export async function startClusterPlay(): Promise<ClusterPlay> {
  const targets = startTargets();
  const play = await startPlay((client) => [
    nixClusterController({ objects: objectsOf(client, declaration), targets }),
  ]);
  const conditions = [truth('Ready', 'False', 'WaitingForIndex'), truth('Reachable')];
  return {
    ...play,
    async stop() {
      await play.stop();
      await targets[Symbol.asyncDispose]();
    },
    hostSays: (namespace, name, status) =>
      play.nodeSays(namespace, name, { lastObserved: lastTransitionTime, conditions, ...status }),
    get: async (namespace) =>
      JSON.parse(await play.kubectl(['get', 'nixcluster', 'demo', '-n', namespace, '-o', 'json'])),
  };
}

export const url = 'github:NixOS/nixpkgs/nixos-26.05';
export const lastTransitionTime = '2026-11-21T10:00:00Z';

export const truth = (type: string, status = 'True', reason = 'Succeeded') => ({
  type,
  status,
  reason,
  message: '',
  lastTransitionTime,
});

const hostKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFBvcnRhYmxlS2V5Rm9yVGVzdHNPbmx5AAAAAA';

export const clusterIn = (namespace: string, network: Fields = {}, spec: Fields = {}): Fields => ({
  apiVersion: 'firn.dev/v1alpha1',
  kind: 'NixCluster',
  metadata: { name: 'demo', namespace },
  spec: {
    kubernetes: { version: '1.36' },
    nixpkgs: { url },
    endpoint: { host: 'kube.example.com' },
    network,
    ...spec,
  },
});

export const nodeIn = (
  namespace: string,
  name: string,
  spec: Fields = {},
  metadata: Fields = {},
): Fields => ({
  apiVersion: 'firn.dev/v1alpha1',
  kind: 'NixNode',
  metadata: { name, namespace, ...metadata },
  spec: {
    ssh: { host: `${name}.example.com`, keyRef: { name: 'deploy-key' }, hostKeys: [hostKey] },
    stateVersion: '26.05',
    clusterRef: { name: 'demo' },
    roles: ['worker'],
    ...spec,
  },
});

export const numbersIn = ({ status }: SeenCluster): Record<string, number> =>
  Object.fromEntries((status?.nodes ?? []).map(({ name, index }) => [name, index]));

export const conditionIn = ({ status }: SeenCluster, type: string): Condition | undefined =>
  status?.conditions?.find((condition) => condition.type === type);
