/** One visit to what an addon has in its cluster: the manifests, and the way there. */
import type { AppliedObject, ClusterAddon, NixCluster } from '../../crds/index.ts';
import { ReconcileError } from '../lib/core/outcome.ts';
import type { AnyObjects } from '../lib/kube/any-objects.ts';
import { ConfigMapKind } from '../lib/kube/core-kinds.ts';
import type { ServedKind } from '../lib/kube/served-kinds.ts';
import type { Context, Reader } from '../lib/runtime/controller.ts';
import type { Source } from './manifests.ts';
import type { Memory } from './memory.ts';

/** What is in a cluster, and what is told of it. */
export type There = AnyObjects & {
  /** The version of an object that the cluster last told by itself; undefined where it tells nothing. */
  versionOf(kind: ServedKind, target: { namespace?: string | undefined; name: string }): string | undefined;
  /** From now on changes of these kinds wake the addon. Returns whether that goes for all of them. */
  follow(kinds: readonly ServedKind[]): boolean;
};

export type AddonServices = {
  /** The way into the cluster. Throws `ReconcileError` in words where there is none. */
  there(addon: ClusterAddon, cluster: NixCluster, read: Reader): Promise<There>;
};

export type Visit = {
  addon: ClusterAddon;
  context: Context<ClusterAddon>;
  there: There;
  memory: Memory;
  /** What was applied before, and what is to be: as it is in status. */
  inventory: AppliedObject[];
};

export async function sourcesOf({ metadata, spec }: ClusterAddon, read: Reader): Promise<Source[]> {
  const sources: Source[] = [];
  for (const [at, { inline, configMapRef }] of spec.manifests.entries()) {
    if (inline !== undefined) sources.push({ name: `manifests[${at}]`, text: inline });
    if (configMapRef) sources.push(...(await fromConfigMap(metadata.namespace ?? '', configMapRef, read)));
  }
  return sources;
}

async function fromConfigMap(
  namespace: string,
  { name, key }: { name: string; key?: string | undefined },
  read: Reader,
): Promise<Source[]> {
  const { content } = await read.load(ConfigMapKind, namespace, name);
  const keys = key === undefined ? Object.keys(content).sort() : [key];
  return keys.map((one) => {
    if (!Object.hasOwn(content, one)) {
      const message = `ConfigMap ${name} has no key ${one}`;
      throw new ReconcileError('waiting', 'ConfigMapKeyNotFound', message);
    }
    return { name: `ConfigMap ${name}, key ${one}`, text: new TextDecoder().decode(content[one]!()) };
  });
}
