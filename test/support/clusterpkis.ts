/** ClusterPKIs in a real API server, with the controller on them and no hosts: members say what a test has them say. */
import { randomBytes } from 'node:crypto';
import { clusterPkiController, declaration } from '../../controllers/clusterpki/controller.ts';
import type { Origins } from '../../controllers/clusterpki/shared-files.ts';
import type { Expiries } from '../../controllers/clusterpki/visit.ts';
import { systemClock } from '../../controllers/lib/core/clock.ts';
import { KubeClient } from '../../controllers/lib/kube/client.ts';
import { kubeConfigFrom } from '../../controllers/lib/kube/config.ts';
import { type Secret, SecretKind } from '../../controllers/lib/kube/core-kinds.ts';
import { objectsOf } from '../../controllers/lib/kube/objects.ts';
import type { ClusterPKI, Condition } from '../../crds/index.ts';
import { startTestCluster } from './cluster.ts';
import { eventually } from './eventually.ts';
import { installCrds } from './firn-api.ts';
import { expectHonestStatus } from './honest-status.ts';
import { clusterIn, type Fields, lastTransitionTime, nodeIn } from './nixclusters.ts';
import { startOperator } from './operator.ts';

export type SeenPki = ClusterPKI & { status: NonNullable<ClusterPKI['status']> };

export type PkiPlay = {
  expiries: Expiries;
  /** Throws where kubectl fails. */
  kubectl(args: string[], object?: Fields | Fields[]): Promise<string>;
  apply(objects: Fields[]): Promise<string>;
  newNamespace(namespace: string): Promise<void>;
  /** A cluster `demo` with nodes of these roles; nobody was asked yet. */
  newCluster(namespace: string, nodes: Record<string, string[]>): Promise<void>;
  /** As the nixnode controller writes it; `pki` undefined: the host has no certificates. */
  hostSays(namespace: string, name: string, origins?: Origins, pki?: Fields): Promise<string>;
  get(namespace: string, name?: string): Promise<SeenPki>;
  /** Waits until Ready has the reason, and gives the object. */
  until(namespace: string, reason: string, name?: string): Promise<SeenPki>;
  secret(namespace: string, name: string): Promise<Secret>;
  secrets(namespace: string): Promise<string[]>;
  stop(): Promise<void>;
};

export async function startPkiPlay(): Promise<PkiPlay> {
  const cluster = await startTestCluster();
  await installCrds(cluster);
  const client = new KubeClient(kubeConfigFrom(cluster.kubeconfig), systemClock);
  const expiries: Expiries = new Map();
  const services = { objects: objectsOf(client, declaration), randomBytes, expiries };
  const operator = startOperator(cluster.kubeconfig, [clusterPkiController(services)]);
  await eventually(() => expect(operator.phases).toContain('leading'));

  const kubectl: PkiPlay['kubectl'] = async (args, object) => {
    const items = Array.isArray(object) ? { apiVersion: 'v1', kind: 'List', items: object } : object;
    const { stdout, stderr, code } = await cluster.kubectl(args, items && JSON.stringify(items));
    expect({ args, code, stderr: code === 0 ? '' : stderr }).toEqual({ args, code: 0, stderr: '' });
    return stdout;
  };
  const apply: PkiPlay['apply'] = (objects) => kubectl(['apply', '--server-side', '-f', '-'], objects);
  const get: PkiPlay['get'] = async (namespace, name = 'demo') =>
    JSON.parse(await kubectl(['get', 'clusterpki', name, '-n', namespace, '-o', 'json']));
  const as = ['--server-side', '--subresource=status', '--field-manager=firn-nixnode'];
  return {
    expiries,
    kubectl,
    apply,
    get,
    newNamespace: async (namespace) => void (await kubectl(['create', 'namespace', namespace])),
    async newCluster(namespace, nodes) {
      const members = Object.entries(nodes).map(([name, roles]) => nodeIn(namespace, name, { roles }));
      await apply([clusterIn(namespace), ...members]);
    },
    hostSays: (namespace, name, origins, pki) =>
      kubectl(['apply', ...as, '-f', '-'], nodeSaying(namespace, name, origins, pki)),
    async until(namespace, reason, name) {
      let seen: SeenPki | undefined;
      await eventually(async () => {
        seen = await get(namespace, name);
        expect(readyOf(seen)).toMatchObject({ reason });
        expectHonestStatus(seen);
      });
      return seen!;
    },
    secret: async (namespace, name) =>
      SecretKind.parse(
        await client.get(SecretKind, { namespace, name }, { signal: AbortSignal.timeout(10_000) }),
      ),
    secrets: async (namespace) =>
      (await kubectl(['get', 'secrets', '-n', namespace, '-o', 'jsonpath={.items[*].metadata.name}']))
        .split(' ')
        .filter((name) => name !== ''),
    async stop() {
      await operator.stop();
      await client.close();
      await cluster.stop();
    },
  };
}

export const readyOf = ({ status }: SeenPki): Condition | undefined =>
  status?.conditions?.find(({ type }) => type === 'Ready');

export const pkiIn = (namespace: string, spec: Fields = {}, name = 'demo'): Fields => ({
  apiVersion: 'firn.dev/v1alpha1',
  kind: 'ClusterPKI',
  metadata: { name, namespace },
  spec,
});

const release = { desired: '0123456789ab', current: '0123456789ab', confirmed: '0123456789ab' };

const nodeSaying = (namespace: string, name: string, origins?: Origins, pki: Fields = {}): Fields => ({
  apiVersion: 'firn.dev/v1alpha1',
  kind: 'NixNode',
  metadata: { name, namespace },
  status: {
    lastObserved: lastTransitionTime,
    release,
    ...(origins && {
      pki: {
        authorities: Object.entries(origins).map(([name, fingerprint]) => ({ name, fingerprint })),
        certificates: 4,
        ...pki,
      },
    }),
  },
});
