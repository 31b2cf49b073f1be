import type { KubeObject, Metadata, ResourceKind } from '../../../crds/resource.ts';
import type { RawObject } from '../kube/client.ts';
import type { Index } from './controller.ts';
import { deepFreeze } from './freeze.ts';
import { isNewer } from './version.ts';

export type Parsed<T> = { ok: true; object: T } | { ok: false; message: string };

/** One object of the cache. Parsed when first looked at: most events concern objects that nobody reads just then. */
export class Entry<T extends KubeObject> {
  readonly raw: RawObject;
  readonly #kind: ResourceKind<T>;
  #parsed: Parsed<T> | undefined;

  constructor(kind: ResourceKind<T>, raw: RawObject) {
    this.#kind = kind;
    this.raw = raw;
  }

  get parsed(): Parsed<T> {
    this.#parsed ??= this.#parse();
    return this.#parsed;
  }

  #parse(): Parsed<T> {
    try {
      return { ok: true, object: deepFreeze(this.#kind.parse(this.raw)) };
    } catch (error) {
      return { ok: false, message: error instanceof Error ? error.message : 'not parsable' };
    }
  }
}

/** What happened to one object; `before` and `after` are both there when it changed. */
export type Change<T extends KubeObject> = { key: string; before?: Entry<T>; after?: Entry<T> };

export const keyOf = (metadata: { namespace?: string; name: string }): string =>
  `${metadata.namespace ?? ''}/${metadata.name}`;

export function splitKey(key: string): { namespace: string; name: string } {
  const slash = key.indexOf('/');
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

type Buckets = Map<string, Set<string>>;

/** The objects of one kind as the watch last told them, and our own writes as the server answered them. */
export class Store<T extends KubeObject> {
  readonly kind: ResourceKind<T>;
  readonly #entries = new Map<string, Entry<T>>();
  readonly #namespaces: Buckets = new Map();
  readonly #indexes = new Map<Index<T>, Buckets>();

  constructor(kind: ResourceKind<T>) {
    this.kind = kind;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): Entry<T> | undefined {
    return this.#entries.get(key);
  }

  keys(): Iterable<string> {
    return this.#entries.keys();
  }

  /** Sorted by name, so that what is computed from it does not depend on the order of events. */
  list(namespace: string): Entry<T>[] {
    return this.#sorted(this.#namespaces.get(namespace));
  }

  by(index: Index<T>, namespace: string, value: string): Entry<T>[] {
    let buckets = this.#indexes.get(index);
    if (!buckets) {
      buckets = new Map();
      this.#indexes.set(index, buckets);
      for (const [key, entry] of this.#entries)
        for (const at of valuesOf(index, entry)) add(buckets, at, key);
    }
    return this.#sorted(buckets.get(`${namespace}/${value}`));
  }

  /** From a watch event. Undefined if we knew that or something newer: the answer to our own write came first. */
  put(raw: RawObject): Change<T> | undefined {
    const known = this.#entries.get(keyOf(raw.metadata));
    const news = !known || isNewer(raw.metadata.resourceVersion, known.raw.metadata.resourceVersion);
    return news ? this.#accept(raw) : undefined;
  }

  #accept(raw: RawObject): Change<T> {
    const key = keyOf(raw.metadata);
    const before = this.#entries.get(key);
    leaveOut(raw.metadata);
    const after = new Entry(this.kind, raw);
    this.#swap(key, before, after);
    return before ? { key, before, after } : { key, after };
  }

  /** From the answer to our own write: never brings back what a watch event has removed or replaced. */
  observe(raw: RawObject): Change<T> | undefined {
    const known = this.#entries.get(keyOf(raw.metadata));
    return known?.raw.metadata.uid === raw.metadata.uid ? this.put(raw) : undefined;
  }

  remove(key: string): Change<T> | undefined {
    const before = this.#entries.get(key);
    if (!before) return undefined;
    this.#swap(key, before, undefined);
    return { key, before };
  }

  /**
   * A whole list of `namespace`, or of all of them: what it does not name is gone. With `history: 'lost'`
   * (a restored backup: versions begin again below ours) what we knew is forgotten first.
   */
  replace(
    items: readonly RawObject[],
    namespace: string | undefined,
    history: 'goes on' | 'lost',
  ): Change<T>[] {
    const named = new Set(items.map((item) => keyOf(item.metadata)));
    const known = namespace === undefined ? this.#entries.keys() : (this.#namespaces.get(namespace) ?? []);
    const gone = [...known].filter((key) => !named.has(key));
    const told =
      history === 'lost' ? items.map((item) => this.#accept(item)) : items.map((item) => this.put(item));
    return [...gone.map((key) => this.remove(key)), ...told].filter((change) => change !== undefined);
  }

  #sorted(keys: ReadonlySet<string> | undefined): Entry<T>[] {
    return [...(keys ?? [])].sort().map((key) => this.#entries.get(key)!);
  }

  #swap(key: string, before: Entry<T> | undefined, after: Entry<T> | undefined): void {
    if (after) this.#entries.set(key, after);
    else this.#entries.delete(key);
    const { namespace } = splitKey(key);
    if (after && !before) add(this.#namespaces, namespace, key);
    if (before && !after) drop(this.#namespaces, namespace, key);
    for (const [index, buckets] of this.#indexes) {
      if (before) for (const at of valuesOf(index, before)) drop(buckets, at, key);
      if (after) for (const at of valuesOf(index, after)) add(buckets, at, key);
    }
  }
}

/** Half of the memory of a small object that nobody reads; and of a Secret, the values that we promise not to hold. */
export function leaveOut(metadata: Metadata & { managedFields?: unknown }): void {
  delete metadata.managedFields;
  delete metadata.annotations?.['kubectl.kubernetes.io/last-applied-configuration'];
}

/** An object that does not parse is in no index. */
function valuesOf<T extends KubeObject>(index: Index<T>, entry: Entry<T>): string[] {
  if (!entry.parsed.ok) return [];
  const namespace = entry.raw.metadata.namespace ?? '';
  return Array.from(index.valuesOf(entry.parsed.object), (value) => `${namespace}/${value}`);
}

function add(buckets: Buckets, at: string, key: string): void {
  const bucket = buckets.get(at);
  if (bucket) bucket.add(key);
  else buckets.set(at, new Set([key]));
}

function drop(buckets: Buckets, at: string, key: string): void {
  const bucket = buckets.get(at);
  bucket?.delete(key);
  if (bucket?.size === 0) buckets.delete(at);
}
