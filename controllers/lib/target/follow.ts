/** Objects of target clusters, followed as long as there is somebody whom their changes concern. */
import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import type { KubeObject, ResourceKind } from '../../../crds/resource.ts';
import type { Clock } from '../core/clock.ts';
import type { Holds, KubeClient } from '../kube/client.ts';
import { Cache } from '../runtime/cache.ts';
import type { ObjectKey, Source, Woken } from '../runtime/controller.ts';
import { aborted } from '../runtime/sleep.ts';
import { type Entry, keyOf } from '../runtime/store.ts';

/** A kind, and what of an object matters; `undefined` for objects that do not matter at all. */
export type FollowedKind = {
  kind: ResourceKind<KubeObject>;
  holds: Holds;
  about: (entry: Entry<KubeObject>) => unknown;
};

/** What is known of one cluster, kind by kind as they were given. */
export type Followed = { caches: readonly Cache[]; synced: boolean };

/** A primary of the controller, and which of that name. */
export type Concerned = { uid: string; namespace: string; name: string };

export type FollowerOptions = {
  kinds: readonly FollowedKind[];
  clock: Clock;
  /** In [0, 1). */
  random: () => number;
  log: Logger;
  /** Told of each cluster that is followed no longer because it is gone. */
  onForget: (uid: string) => void;
};

type Kept = Followed & { uid: string; stop: AbortController };

/**
 * Follows clusters for one controller and wakes it for changes that matter, and when a cluster falls silent or is heard
 * again: nobody has to ask meanwhile.
 */
export class Follower implements Source {
  readonly #options: FollowerOptions;
  readonly #kept = new Map<string, Kept>();
  #wake: (primary: Woken) => void = () => undefined;
  #signal: AbortSignal | undefined;

  constructor(options: FollowerOptions) {
    this.#options = options;
  }

  async run(wake: (primary: Woken) => void, signal: AbortSignal): Promise<void> {
    this.#wake = wake;
    this.#signal = signal;
    await aborted(signal);
    for (const { stop } of this.#kept.values()) stop.abort();
    this.#kept.clear();
  }

  forget(primary: ObjectKey): void {
    const key = keyOf(primary);
    const known = this.#kept.get(key);
    if (!known) return;
    this.#kept.delete(key);
    known.stop.abort();
    this.#options.onForget(known.uid);
  }

  /** What is followed already. */
  known({ uid, ...key }: Concerned): Followed | undefined {
    const known = this.#kept.get(keyOf(key));
    return known?.uid === uid ? known : undefined;
  }

  /** From now on, if not already. `client` must stay good for this cluster. */
  follow(concerned: Concerned, client: KubeClient): Followed {
    const known = this.known(concerned);
    if (known) return known;
    this.forget(concerned);
    const begun = this.#begin(concerned, client);
    this.#kept.set(keyOf(concerned), begun);
    return begun;
  }

  #begin({ uid, namespace, name }: Concerned, client: KubeClient): Kept {
    const { kinds, clock, random, log } = this.#options;
    const stop = new AbortController();
    if (this.#signal?.aborted) stop.abort();
    const wake = (): void => {
      if (!stop.signal.aborted) this.#wake({ namespace, name });
    };
    const caches = kinds.map(({ kind, holds, about }) => {
      const own = log.child({ cluster: `${namespace}/${name}` });
      const options = { client, clock, random, log: own, signal: stop.signal, onHealth: wake };
      const cache = new Cache(kind, holds, options);
      cache.subscribe(({ before, after }) => {
        if (!isDeepStrictEqual(before && about(before), after && about(after))) wake();
      });
      // It never gives up, and never throws: what goes wrong is in the log, and in `onHealth`.
      void cache.run();
      return cache;
    });
    return {
      uid,
      stop,
      caches,
      get synced() {
        return caches.every((cache) => cache.synced);
      },
    };
  }
}
