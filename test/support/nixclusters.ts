/** NixClusters in a real API server, with the controller on them and no hosts: members say what a test has them say. */
import { systemClock } from '../../controllers/lib/core/clock.ts';
import { KubeClient } from '../../controllers/lib/kube/client.ts';
import { kubeConfigFrom } from '../../controllers/lib/kube/config.ts';
import { objectsOf } from '../../controllers/lib/kube/objects.ts';
import { declaration, nixClusterController } from '../../controllers/nixcluster/controller.ts';
import type { Condition, NixCluster } from '../../crds/index.ts';
import { startTestCluster } from './cluster.ts';
import { eventually } from './eventually.ts';
import { installCrds } from './firn-api.ts';
import { startOperator } from './operator.ts';

export type Fields = { [field: string]: unknown };
export type SeenCluster = NixCluster & { status: NonNullable<NixCluster['status']> };

export type ClusterPlay = {
  /** Throws where kubectl fails. */
  kubectl(args: string[], object?: Fields | Fields[]): Promise<string>;
  /** What kubectl says on standard error; throws where it succeeds. */
  refusal(args: string[], object: Fields): Promise<string>;
  apply(objects: Fields[]): Promise<string>;
  /** Stands in for a host: writes what nixnode would write of it, as nixnode. */
  hostSays(namespace: string, name: string, status: Fields): Promise<string>;
  get(namespace: string): Promise<SeenCluster>;
  newNamespace(namespace: string): Promise<void>;
  stop(): Promise<void>;
};

export async function startClusterPlay(): Promise<ClusterPlay> {
  const cluster = await startTestCluster();
  await installCrds(cluster);
  const client = new KubeClient(kubeConfigFrom(cluster.kubeconfig), systemClock);
  const operator = startOperator(cluster.kubeconfig, [nixClusterController(objectsOf(client, declaration))]);
  await eventually(() => expect(operator.phases).toContain('leading'));

  const kubectl: ClusterPlay['kubectl'] = async (args, object) => {
    const items = Array.isArray(object) ? { apiVersion: 'v1', kind: 'List', items: object } : object;
    const { stdout, stderr, code } = await cluster.kubectl(args, items && JSON.stringify(items));
    expect({ args, code, stderr: code === 0 ? '' : stderr }).toEqual({ args, code: 0, stderr: '' });
    return stdout;
  };
  const saying = ['--validate=ignore', '--subresource=status', '--field-manager=firn-nixnode'];
  return {
    kubectl,
    async refusal(args, object) {
      const { code, stderr } = await cluster.kubectl(args, JSON.stringify(object));
      expect(code).not.toBe(0);
      return stderr;
    },
    apply: (objects) => kubectl(['apply', '--server-side', '-f', '-'], objects),
    hostSays: (namespace, name, status) =>
      kubectl(['apply', '--server-side', ...saying, '-f', '-'], nodeSaying(namespace, name, status)),
    get: async (namespace) =>
      JSON.parse(await kubectl(['get', 'nixcluster', 'demo', '-n', namespace, '-o', 'json'])),
    newNamespace: async (namespace) => void (await kubectl(['create', 'namespace', namespace])),
    async stop() {
      await operator.stop();
      await client.close();
      await cluster.stop();
    },
  };
}

const nodeSaying = (namespace: string, name: string, status: Fields): Fields => ({
  apiVersion: 'firn.dev/v1alpha1',
  kind: 'NixNode',
  metadata: { name, namespace },
  status: {
    lastObserved: lastTransitionTime,
    conditions: [truth('Ready', 'False', 'WaitingForIndex'), truth('Reachable')],
    ...status,
  },
});

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
