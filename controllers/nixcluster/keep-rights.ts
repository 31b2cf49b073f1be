/** Keeps the rights in a cluster as they are declared, whoever changes them. */
import type { KubeObject } from '../../crds/resource.ts';
import type { KubeClient } from '../lib/kube/client.ts';
import { KubeError } from '../lib/kube/kube-error.ts';
import type { Cache } from '../lib/runtime/cache.ts';
import { type Right, rights } from './rights.ts';

/** Versions of what was applied, by kind and name: as long as they are what the cluster has, there is nothing to do. */
export type AppliedRights = Map<string, string>;

const fieldManager = 'firn-nixcluster';

/** Says whether anything was not as declared. `caches` are those of the kinds of rights. */
export async function keepRights(
  client: KubeClient,
  asFounder: (work: (client: KubeClient) => Promise<void>) => Promise<void>,
  applied: AppliedRights,
  caches: readonly Cache[],
  signal: AbortSignal,
): Promise<'as declared' | 'restored' | 'founded'> {
  const changed = rights.filter((right) => {
    const version = applied.get(idOf(right));
    return version === undefined || version !== versionIn(caches, right);
  });
  const apply = async (as: KubeClient, some: readonly Right[]): Promise<void> => {
    for (const right of some) {
      const { metadata } = await applyRight(as, right, signal);
      applied.set(idOf(right), metadata.resourceVersion);
    }
  };
  if (changed.length === 0) return 'as declared';
  try {
    await apply(client, changed);
    return 'restored';
  } catch (error) {
    if (!(error instanceof KubeError) || error.status !== 403) throw error;
  }
  // Nobody has given us any yet, or somebody has taken them.
  await asFounder((founder) => apply(founder, rights));
  return 'founded';
}

const idOf = ({ kind, name }: Right): string => `${kind.kind}/${name}`;

const versionIn = (caches: readonly Cache[], { kind, name }: Right): string | undefined =>
  caches.find((cache) => cache.kind === kind)?.store.get(`/${name}`)?.raw.metadata.resourceVersion;

async function applyRight(
  client: KubeClient,
  { kind, name, content }: Right,
  signal: AbortSignal,
): Promise<KubeObject> {
  const target = { namespace: '', name };
  const apply = () => client.apply(kind, { metadata: target, ...content }, { fieldManager, signal });
  try {
    return await apply();
  } catch (error) {
    // The role that a binding gives cannot be changed: one that gives another is not ours.
    if (!(error instanceof KubeError) || error.status !== 422) throw error;
    await client.delete(kind, target, { signal });
    return apply();
  }
}
