/** What of a rotation only the running Kubernetes can tell. */
import type { NixCluster } from '../../crds/index.ts';
import { ReconcileError } from '../lib/core/outcome.ts';
import type { KubeClient } from '../lib/kube/client.ts';
import { KubeError } from '../lib/kube/kube-error.ts';
import { type Asked, allOf } from './live-lists.ts';
import { type Pod, podsGate, type RootConfigMap, rootConfigMap } from './live-pods.ts';
import { type Rewriting, rewriteSome } from './live-rewrite.ts';
import { keyIdIn, type LegacyToken, tokensGate } from './live-tokens.ts';
import type { Gate } from './machine.ts';

export type LiveGates = {
  /** All pods were started when the new authority was trusted already: they load it once. */
  podsRestarted: Gate;
  /** No token that the key to be dropped has signed is in use, legacy ones in Secrets among them. */
  tokensRenewed: Gate;
  /** All that is encrypted was written again with the key that encrypts now. */
  rewritten: Gate;
};

/** Asks only when it is asked. */
export type Live = {
  /** `trust`: certificates (PEM) of all that are to be trusted. */
  podsRestarted(trust: readonly string[]): Promise<Gate>;
  /** `signing`: the public key that verifies new tokens; `since`: when it began (RFC 3339). */
  tokensRenewed(signing: string, since: string): Promise<Gate>;
  /** `stage` names what is to be finished, `resources` what is encrypted. */
  rewritten(stage: string, resources: readonly string[]): Promise<Gate>;
};

/** By UID of the ClusterPKI. */
export type Rewritings = Map<string, Rewriting>;

export type LiveGround = {
  cluster: NixCluster | undefined;
  /** Throws `ReconcileError` where there is no way into the cluster. */
  target(cluster: NixCluster): Promise<KubeClient>;
  signal: AbortSignal;
  now: number;
  uid: string;
  rewritings: Rewritings;
};

const open: Gate = { open: true };

/**
 * Where no Kubernetes runs, there is nothing that could hold on to a key. Where one does, nothing is dropped until it is
 * known that nobody does: one that does not answer holds the rotation up.
 */
export function liveOf(ground: LiveGround): Live {
  const { cluster, target, signal, now } = ground;
  if (!cluster || !(cluster.status?.kubernetes?.version ?? cluster.status?.version)) {
    return { podsRestarted: async () => open, tokensRenewed: async () => open, rewritten: async () => open };
  }
  const asking = async (work: (asked: Asked) => Promise<Gate>): Promise<Gate> => {
    try {
      return await work({ client: await target(cluster), signal });
    } catch (error) {
      if (error instanceof KubeError || error instanceof ReconcileError)
        return {
          open: false,
          waitsFor: `the API of the cluster, which has to be asked first: ${error.message}`,
          recheckMs: 15_000,
        };
      throw error;
    }
  };
  return {
    podsRestarted: (trust) =>
      asking(async (asked) => {
        const fieldSelector = `metadata.name=${rootConfigMap}`;
        const configMaps = (await allOf(asked, '/api/v1/configmaps', { fieldSelector })) as RootConfigMap[];
        return podsGate(trust, configMaps, (await allOf(asked, '/api/v1/pods')) as Pod[]);
      }),
    tokensRenewed: (signing, since) =>
      asking(async (asked) => {
        const fieldSelector = 'type=kubernetes.io/service-account-token';
        const secrets = (await allOf(asked, '/api/v1/secrets', { fieldSelector })).map(legacyToken);
        const pods = (await allOf(asked, '/api/v1/pods')) as Pod[];
        return tokensGate(signing, Date.parse(since), now, { secrets, pods });
      }),
    rewritten: (stage, resources) => asking((asked) => rewriteOn(ground, asked, stage, resources)),
  };
}

async function rewriteOn(
  { rewritings, uid }: LiveGround,
  asked: Asked,
  stage: string,
  resources: readonly string[],
): Promise<Gate> {
  const known = rewritings.get(uid);
  const progress = known?.of === stage ? known : { of: stage, resources, done: 0, next: '', left: undefined };
  rewritings.set(uid, progress);
  const gate = await rewriteSome(asked, progress);
  if (gate.open) rewritings.delete(uid);
  return gate;
}

/** Its token is a secret: of it, the name of the key is kept. */
function legacyToken(secret: unknown): LegacyToken {
  const { metadata, data } = secret as {
    metadata?: { namespace?: string; name?: string };
    data?: Record<string, string>;
  };
  const token = Buffer.from(data?.token ?? '', 'base64').toString('utf8');
  return { namespace: metadata?.namespace ?? '', name: metadata?.name ?? '', keyId: keyIdIn(token) };
}
