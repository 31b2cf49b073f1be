import type { Logger } from 'pino';
import type { KubeObject, ResourceKind } from '../../../crds/resource.ts';
import type { Clock } from '../core/clock.ts';
import type { Holds, KubeClient, RawObject } from '../kube/client.ts';
import { Loader } from './loader.ts';
import { type Change, keyOf, Store } from './store.ts';
import { Watcher, type WatcherState } from './watcher.ts';

export type CacheOptions = {
  client: KubeClient;
  clock: Clock;
  random: () => number;
  log: Logger;
  /** Absent: all namespaces, by one watch. */
  namespaces?: readonly string[] | undefined;
  /** Absent: all objects. */
  labelSelector?: string;
  /** Ends everything. */
  signal: AbortSignal;
  /** Told when it changes whether the cache is kept up to date. */
  onHealth?: (health: 'follows' | 'interrupted') => void;
};

type Listener = (change: Change<KubeObject>) => void;

/** One kind, followed: a store and a watcher for each namespace that fills it. */
export class Cache {
  readonly kind: ResourceKind<KubeObject>;
  readonly holds: Holds;
  readonly store: Store<KubeObject>;
  readonly loader: Loader;
  readonly #watchers: Watcher[];
  readonly #listeners: Listener[] = [];
  readonly #log: Logger;
  readonly #signal: AbortSignal;

  constructor(kind: ResourceKind<KubeObject>, holds: Holds, options: CacheOptions) {
    this.kind = kind;
    this.holds = holds;
    this.#log = options.log;
    this.#signal = options.signal;
    this.store = new Store(holds === 'metadata' ? metadataOf(kind) : kind);
    this.loader = new Loader(kind, this.store, options);
    const namespaces = kind.namespaced ? options.namespaces : undefined;
    this.#watchers = (namespaces ?? [undefined]).map((namespace) => this.#watcher(namespace, options));
  }

  get synced(): boolean {
    return this.#watchers.every((watcher) => watcher.state !== 'Empty');
  }

  get states(): WatcherState[] {
    return this.#watchers.map((watcher) => watcher.state);
  }

  /** Called after the store has changed, in order. */
  subscribe(listener: Listener): void {
    this.#listeners.push(listener);
  }

  /**
   * The answer to a write of ours. Told to all like an event, because the event that will follow is not
   * news any more, and because the answer may hold somebody else's change that was not told yet.
   */
  observe(written: RawObject): void {
    this.#tell(this.store.observe(written));
  }

  async run(): Promise<void> {
    const signal = this.#signal;
    await Promise.all([...this.#watchers.map((watcher) => watcher.run(signal)), this.loader.run()]);
  }

  #watcher(namespace: string | undefined, options: CacheOptions): Watcher {
    return new Watcher({
      ...options,
      kind: this.kind,
      holds: this.holds,
      namespace,
      onList: (items, history) => {
        if (history === 'lost') this.loader.forgetAll();
        for (const change of this.store.replace(items, namespace, history)) this.#tell(change);
      },
      onEvent: ({ type, object }) => {
        const deleted = type === 'DELETED';
        this.#tell(deleted ? this.store.remove(keyOf(object.metadata)) : this.store.put(object));
      },
    });
  }

  #tell(change: Change<KubeObject> | undefined): void {
    if (!change) return;
    for (const listener of this.#listeners) {
      try {
        listener(change);
      } catch (err) {
        // A bug in one controller's `keysOf` must not stop the watch that feeds all others.
        this.#log.error({ err, kind: this.kind.kind, key: change.key }, 'a listener of the cache failed');
      }
    }
  }
}

/** The kind as it is seen through `PartialObjectMetadata`: what there is, is trusted to be metadata. */
const metadataOf = (kind: ResourceKind<KubeObject>): ResourceKind<KubeObject> => ({
  ...kind,
  parse: (raw) => raw as KubeObject,
});
