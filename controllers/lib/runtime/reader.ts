import type { KubeObject, ResourceKind } from '../../../crds/resource.ts';
import { ReconcileError } from '../core/outcome.ts';
import { isNotFound, KubeError } from '../kube/kube-error.ts';
import type { Cache } from './cache.ts';
import type { CacheReader, Index, Reader } from './controller.ts';
import { type Entry, keyOf, type Store } from './store.ts';

/** What one controller may read: its primary's kind and the inputs that it declared, by `kindId`. */
export type Caches = ReadonlyMap<string, Cache>;

export const kindId = (kind: { group: string; plural: string }): string => `${kind.plural}.${kind.group}`;

type OnInvalid = 'throw' | 'skip';

/** For reconciles: what does not parse throws. */
export function strictReader(caches: Caches): Reader {
  const reader = cacheReader(caches, 'throw');
  return {
    ...reader,
    require(kind, namespace, name) {
      const found = reader.get(kind, namespace, name);
      if (found === undefined) throw notFound(kind, name);
      return found;
    },
    async load<O extends KubeObject>(kind: ResourceKind<O>, namespace: string, name: string): Promise<O> {
      const cache = cacheOf(caches, kind);
      if (cache.holds !== 'metadata') throw new Error(`${kind.kind} is held whole: use require`);
      const key = keyOf({ namespace, name });
      if (!cache.store.get(key)) throw notFound(kind, name);
      try {
        return (await cache.loader.load(key)) as O;
      } catch (error) {
        if (isNotFound(error)) throw notFound(kind, name);
        if (error instanceof KubeError) throw error;
        throw invalid(kind, name, error instanceof Error ? error.message : 'not parsable');
      }
    },
  };
}

/** For `keysOf`: what does not parse is left out. */
export function lenientReader(caches: Caches): CacheReader {
  return cacheReader(caches, 'skip');
}

function cacheReader(caches: Caches, onInvalid: OnInvalid): CacheReader {
  const storeOf = <O extends KubeObject>(kind: ResourceKind<O>): Store<O> => {
    const cache = cacheOf(caches, kind);
    if (cache.holds === 'metadata') throw new Error(`only metadata of ${kind.kind} is held: use load`);
    return cache.store as unknown as Store<O>;
  };
  const open = <O extends KubeObject>(kind: ResourceKind<O>, entries: Iterable<Entry<O>>): O[] => {
    const objects: O[] = [];
    for (const { parsed, raw } of entries) {
      if (parsed.ok) objects.push(parsed.object);
      else if (onInvalid === 'throw') throw invalid(kind, raw.metadata.name, parsed.message);
    }
    return objects;
  };
  return {
    get(kind, namespace, name) {
      const entry = storeOf(kind).get(keyOf({ namespace, name }));
      return entry && open(kind, [entry])[0];
    },
    list: (kind, namespace) => open(kind, storeOf(kind).list(namespace)),
    by: <O extends KubeObject>(index: Index<O>, namespace: string, value: string) =>
      open(index.kind, storeOf(index.kind).by(index, namespace, value)),
  };
}

function cacheOf(caches: Caches, kind: ResourceKind<KubeObject>): Cache {
  const cache = caches.get(kindId(kind));
  if (!cache) throw new Error(`${kind.kind} is not among the declared inputs`);
  return cache;
}

const notFound = (kind: { kind: string }, name: string) =>
  new ReconcileError(
    'waiting',
    `${kind.kind}NotFound`,
    `${kind.kind} ${name} does not exist; create it in the same namespace`,
  );

const invalid = (kind: { kind: string }, name: string, message: string) =>
  new ReconcileError('waiting', `${kind.kind}Invalid`, `${kind.kind} ${name}: ${message}`);
