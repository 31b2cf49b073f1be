/** ClusterAccesses in a real API server, with the controller on them, and a second real one to which they give access. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { clusterAccessController, declaration } from '../../controllers/clusteraccess/controller.ts';
import { systemClock } from '../../controllers/lib/core/clock.ts';
import { Sealed } from '../../controllers/lib/core/sealed.ts';
import { KubeClient } from '../../controllers/lib/kube/client.ts';
import { kubeConfigFrom } from '../../controllers/lib/kube/config.ts';
import { type Secret, SecretKind } from '../../controllers/lib/kube/core-kinds.ts';
import { objectsOf } from '../../controllers/lib/kube/objects.ts';
import { type Authority, parseAuthority } from '../../controllers/lib/pki/authority.ts';
import { fingerprintOf } from '../../controllers/lib/pki/inspect.ts';
import type { ClusterAccess } from '../../crds/index.ts';
import { type KubectlResult, startTestCluster, type TestCluster } from './cluster.ts';
import { pkiIn } from './clusterpkis.ts';
import { eventually } from './eventually.ts';
import { expectHonestStatus } from './honest-status.ts';
import { clusterIn } from './nixclusters.ts';
import { type Fields, type Play, startPlay } from './play.ts';
import { secretsIn } from './secrets/documents.ts';
import { keepSecret } from './secrets/registry.ts';

export type SeenAccess = ClusterAccess & { status: NonNullable<ClusterAccess['status']> };

export type AccessPlay = Play & {
  target: TestCluster;
  /** Who signs in the target. */
  authority: Authority;
  /** A namespace with a NixCluster `demo`, whose endpoint is the target, and a ClusterPKI of its authority. */
  newCluster(namespace: string): Promise<void>;
  /** As a rotation writes it. */
  setAuthority(namespace: string, signer: Authority, trusted: readonly Authority[]): Promise<void>;
  get(namespace: string, name?: string): Promise<SeenAccess>;
  /** Waits until `holds` does for the spec as it is now. */
  until(namespace: string, holds: (seen: SeenAccess) => void, name?: string): Promise<SeenAccess>;
  secret(namespace: string, name?: string): Promise<Secret>;
  /** kubectl with what the Secret holds. */
  asUser(namespace: string, args: string[], name?: string): Promise<KubectlResult>;
};

export async function startAccessPlay(): Promise<AccessPlay> {
  const target = await startTestCluster();
  const client = new KubeClient(kubeConfigFrom(target.kubeconfig), systemClock);
  const play = await startPlay((own) => [
    clusterAccessController({
      objects: objectsOf(own, declaration),
      randomBytes,
      target: async () => client,
    }),
  ]);
  const folder = mkdtempSync(join(tmpdir(), 'firn-access-'));
  const pki = join(dirname(target.kubeconfig), 'pki');
  const key = new Sealed(readFileSync(join(pki, 'ca.key'), 'utf8'));
  const authority = parseAuthority(readFileSync(join(pki, 'ca.crt'), 'utf8'), key);
  const { hostname, port } = new URL(target.server);

  const get: AccessPlay['get'] = async (namespace, name = 'ops') =>
    JSON.parse(await play.kubectl(['get', 'clusteraccess', name, '-n', namespace, '-o', 'json']));
  const secret: AccessPlay['secret'] = async (namespace, name = 'ops-kubeconfig') =>
    SecretKind.parse(
      await play.client.get(SecretKind, { namespace, name }, { signal: AbortSignal.timeout(10_000) }),
    );
  const setAuthority: AccessPlay['setAuthority'] = async (namespace, signer, trusted) => {
    await play.kubectl(['apply', '--server-side', '--force-conflicts', '-f', '-'], {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'demo-cluster-ca', namespace, labels: { 'firn.dev/pki': 'demo' } },
      type: 'kubernetes.io/tls',
      data: {
        'tls.crt': base64(signer.certificate + signer.chain),
        'tls.key': base64(signer.key.open()),
        'ca.crt': base64(trusted.map(({ certificate }) => certificate).join('')),
      },
    });
    const status = {
      authorities: [
        {
          name: 'cluster',
          secretName: 'demo-cluster-ca',
          fingerprint: fingerprintOf(signer.certificate),
          notAfter: '2036-01-01T00:00:00Z',
        },
      ],
    };
    const asPki = ['--server-side', '--subresource=status', '--field-manager=firn-clusterpki'];
    const { spec: _, ...object } = pkiIn(namespace);
    await play.kubectl(['apply', ...asPki, '-f', '-'], { ...object, status });
  };
  return {
    ...play,
    target,
    authority,
    get,
    secret,
    setAuthority,
    async newCluster(namespace) {
      await play.newNamespace(namespace);
      await play.apply([
        clusterIn(namespace, {}, { endpoint: { host: hostname, port: Number(port) } }),
        pkiIn(namespace),
      ]);
      await setAuthority(namespace, authority, [authority]);
    },
    until: (namespace, holds, name) =>
      eventually(async () => {
        const seen = await get(namespace, name);
        expect(seen.status?.observedGeneration).toBe(seen.metadata.generation);
        expectHonestStatus(seen);
        holds(seen);
        return seen;
      }, 30_000),
    async asUser(namespace, args, name) {
      const text = kubeconfigIn(await secret(namespace, name));
      const file = join(folder, `${namespace}.kubeconfig`);
      writeFileSync(file, text, { mode: 0o600 });
      return target.kubectl([`--kubeconfig=${file}`, ...args]);
    },
    async stop() {
      await play.stop();
      await client.close();
      await target.stop();
      rmSync(folder, { recursive: true });
    },
  };
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

export function kubeconfigIn({ data }: Secret): string {
  const text = new TextDecoder().decode(data.kubeconfig!.open());
  for (const one of secretsIn('kubeconfig', Buffer.from(text))) keepSecret('a kubeconfig', one);
  return text;
}

type Config = {
  clusters: { name: string; cluster: { server: string; 'certificate-authority-data': string } }[];
  users: { name: string; user: { 'client-certificate-data': string; 'client-key-data': string } }[];
  'current-context': string;
};
export const configIn = (secret: Secret): Config => parse(kubeconfigIn(secret)) as Config;

export const reasonIn = ({ status }: SeenAccess, type: string): string | undefined =>
  status.conditions?.find((condition) => condition.type === type)?.reason;

export const accessIn = (namespace: string, spec: Fields = {}, name = 'ops'): Fields => ({
  apiVersion: 'firn.dev/v1alpha1',
  kind: 'ClusterAccess',
  metadata: { name, namespace },
  spec: {
    clusterRef: { name: 'demo' },
    user: 'ops',
    groups: ['team:ops'],
    secretName: 'ops-kubeconfig',
    ...spec,
  },
});
