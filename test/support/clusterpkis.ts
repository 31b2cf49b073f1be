/** ClusterPKIs in a real API server, with the controller on them and no hosts: members say what a test has them say. */
import { randomBytes } from 'node:crypto';
import { clusterPkiController, declaration } from '../../controllers/clusterpki/controller.ts';
import type { Origins } from '../../controllers/clusterpki/shared-files.ts';
import type { Expiries } from '../../controllers/clusterpki/visit.ts';
import { type Secret, SecretKind } from '../../controllers/lib/kube/core-kinds.ts';
import { objectsOf } from '../../controllers/lib/kube/objects.ts';
import type { ClusterPKI, Condition } from '../../crds/index.ts';
import { eventually } from './eventually.ts';
import { expectHonestStatus } from './honest-status.ts';
import { clusterIn, lastTransitionTime, nodeIn } from './nixclusters.ts';
import { type Fields, type Play, startPlay } from './play.ts';

export type SeenPki = ClusterPKI & { status: NonNullable<ClusterPKI['status']> };

export type PkiPlay = Play & {
  expiries: Expiries;
  /** A cluster `demo` with nodes of these roles; nobody was asked yet. */
  newCluster(namespace: string, nodes: Record<string, string[]>): Promise<void>;
  /** As the nixnode controller writes it; `pki` undefined: the host has no certificates. */
  hostSays(namespace: string, name: string, origins?: Origins, pki?: Fields): Promise<string>;
  get(namespace: string, name?: string): Promise<SeenPki>;
  /** Waits until Ready has the reason, and gives the object. */
  until(namespace: string, reason: string, name?: string): Promise<SeenPki>;
  secret(namespace: string, name: string): Promise<Secret>;
  secrets(namespace: string): Promise<string[]>;
};

export async function startPkiPlay(): Promise<PkiPlay> {
  const expiries: Expiries = new Map();
  const play = await startPlay((client) => [
    clusterPkiController({
      objects: objectsOf(client, declaration),
      randomBytes,
      expiries,
      // The API server that the play has, as if it were that of the hosts.
      target: async () => client,
      rewritings: new Map(),
    }),
  ]);
  const { client, kubectl, apply } = play;
  const get: PkiPlay['get'] = async (namespace, name = 'demo') =>
    JSON.parse(await kubectl(['get', 'clusterpki', name, '-n', namespace, '-o', 'json']));
  return {
    ...play,
    expiries,
    get,
    async newCluster(namespace, nodes) {
      const members = Object.entries(nodes).map(([name, roles]) => nodeIn(namespace, name, { roles }));
      await apply([clusterIn(namespace), ...members]);
    },
    hostSays: (namespace, name, origins, pki) => play.nodeSays(namespace, name, saying(origins, pki)),
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

const saying = (origins?: Origins, pki: Fields = {}): Fields => ({
  lastObserved: lastTransitionTime,
  release,
  ...(origins && {
    pki: {
      authorities: Object.entries(origins).map(([name, fingerprint]) => ({ name, fingerprint })),
      certificates: 4,
      ...pki,
    },
  }),
});
