/** Controllers on a real API server, without hosts: those say what a test has them say. */
import { systemClock } from '../../controllers/lib/core/clock.ts';
import { KubeClient } from '../../controllers/lib/kube/client.ts';
import { kubeConfigFrom } from '../../controllers/lib/kube/config.ts';
import type { Controller } from '../../controllers/lib/runtime/controller.ts';
import { startTestCluster } from './cluster.ts';
import { eventually } from './eventually.ts';
import { installCrds } from './firn-api.ts';
import { startOperator } from './operator.ts';

export type Fields = { [field: string]: unknown };

export type Play = {
  kubeconfig: string;
  client: KubeClient;
  /** Throws where kubectl fails. */
  kubectl(args: string[], object?: Fields | Fields[]): Promise<string>;
  /** What kubectl says on standard error; throws where it succeeds. */
  refusal(args: string[], object: Fields): Promise<string>;
  apply(objects: Fields[]): Promise<string>;
  newNamespace(namespace: string): Promise<void>;
  /** Stands in for a host: the status of its NixNode, as the nixnode controller writes it. */
  nodeSays(namespace: string, name: string, status: Fields): Promise<string>;
  stop(): Promise<void>;
};

export async function startPlay(controllersWith: (client: KubeClient) => Controller[]): Promise<Play> {
  const cluster = await startTestCluster();
  await installCrds(cluster);
  const client = new KubeClient(kubeConfigFrom(cluster.kubeconfig), systemClock);
  const operator = startOperator(cluster.kubeconfig, controllersWith(client));
  await eventually(() => expect(operator.phases).toContain('leading'));

  const kubectl: Play['kubectl'] = async (args, object) => {
    const items = Array.isArray(object) ? { apiVersion: 'v1', kind: 'List', items: object } : object;
    const { stdout, stderr, code } = await cluster.kubectl(args, items && JSON.stringify(items));
    expect({ args, code, stderr: code === 0 ? '' : stderr }).toEqual({ args, code: 0, stderr: '' });
    return stdout;
  };
  const asNixnode = ['--server-side', '--subresource=status', '--field-manager=firn-nixnode'];
  return {
    kubeconfig: cluster.kubeconfig,
    client,
    kubectl,
    async refusal(args, object) {
      const { code, stderr } = await cluster.kubectl(args, JSON.stringify(object));
      expect(code).not.toBe(0);
      return stderr;
    },
    apply: (objects) => kubectl(['apply', '--server-side', '-f', '-'], objects),
    newNamespace: async (namespace) => void (await kubectl(['create', 'namespace', namespace])),
    nodeSays: (namespace, name, status) =>
      kubectl(['apply', ...asNixnode, '-f', '-'], {
        apiVersion: 'firn.dev/v1alpha1',
        kind: 'NixNode',
        metadata: { name, namespace },
        status,
      }),
    async stop() {
      await operator.stop();
      await client.close();
      await cluster.stop();
    },
  };
}
