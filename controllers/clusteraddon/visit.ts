/** One visit to what an addon has in its cluster: the manifests, and the way there. */
import { type AppliedObject, type ClusterAddon, NixCluster } from '../../crds/index.ts';
import { ReconcileError } from '../lib/core/outcome.ts';
import type { AnyObjects } from '../lib/kube/any-objects.ts';
import { ConfigMapKind } from '../lib/kube/core-kinds.ts';
import type { Context, Reader } from '../lib/runtime/controller.ts';
import { type Manifest, readManifests, type Source } from './manifests.ts';

export type AddonServices = {
  /** The way into the cluster. Throws `ReconcileError` in words where there is none. */
  objects(cluster: NixCluster, read: Reader): Promise<AnyObjects>;
};

export type Visit = {
  addon: ClusterAddon;
  context: Context<ClusterAddon>;
  there: AnyObjects;
  manifests: Manifest[];
  /** What was applied before, and what is to be: as it is in status. */
  inventory: AppliedObject[];
};

export async function manifestsOf({ metadata, spec }: ClusterAddon, read: Reader): Promise<Manifest[]> {
  const sources: Source[] = [];
  for (const [at, { inline, configMapRef }] of spec.manifests.entries()) {
    if (inline !== undefined) sources.push({ name: `manifests[${at}]`, text: inline });
    if (configMapRef) sources.push(...(await fromConfigMap(metadata.namespace ?? '', configMapRef, read)));
  }
  return readManifests(sources);
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

export const clusterOf = ({ metadata, spec }: ClusterAddon, read: Reader): NixCluster =>
  read.require(NixCluster, metadata.namespace ?? '', spec.clusterRef.name);
