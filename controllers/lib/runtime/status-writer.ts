import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../core/clock.ts';
import type { KubeClient, RawObject } from '../kube/client.ts';
import { isConflict, KubeError } from '../kube/kube-error.ts';
import type { Cache } from './cache.ts';
import { type Condition, composeStatus, type Status, type StatusInput } from './status.ts';
import { keyOf, splitKey } from './store.ts';

export type Said = Pick<StatusInput, 'stepped' | 'omitted' | 'settled' | 'reported' | 'word'>;
/** `written` is undefined when the status was so already. */
export type Published = { written: RawObject | undefined; before: Condition | undefined; after: Condition };

type WriteOptions = { guard?: string | undefined; signal: AbortSignal };

/** Tries to write a status that somebody else's changes come between. */
const maxAttempts = 4;

type WriterOptions = {
  client: KubeClient;
  cache: Cache;
  clock: Clock;
  fieldManager: string;
  declared: readonly string[];
};

/** Writes one controller's statuses: by server-side apply, and only what differs from what is there. */
export class StatusWriter {
  readonly #options: WriterOptions;
  /**
   * What was applied where the server made something else of it (it prunes fields that the CRD lacks): to
   * compare with what it made would find a difference each time, and write each time.
   */
  readonly #altered = new Map<string, { resourceVersion: string; status: Status }>();

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  /**
   * `seen` is the object that the reconcile looked at. Throws `KubeError`: 404 when it is gone or a namesake
   * has taken its place. With `guard`, a resourceVersion, 409 when the object is not of that version.
   *
   * Every write names a version. A `metadata.uid` alone does not protect a namesake: for the status
   * subresource of a custom resource the API server ignores it (tried with 1.36).
   */
  async publish(seen: RawObject, said: Said, options: WriteOptions): Promise<Published> {
    let latest = this.#latest(seen);
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#write(seen, latest, said, options);
      } catch (error) {
        if (!isConflict(error) || options.guard !== undefined || attempt === maxAttempts) throw error;
        // Somebody changed something else of it; what was found out is still to be said.
        const { client, cache } = this.#options;
        latest = await client.get(cache.kind, splitKey(keyOf(seen.metadata)), options);
        if (latest.metadata.uid !== seen.metadata.uid) throw new KubeError('status', 404, 'Replaced');
      }
    }
  }

  async #write(seen: RawObject, latest: RawObject, said: Said, options: WriteOptions): Promise<Published> {
    const { client, cache, clock, declared, fieldManager } = this.#options;
    const { namespace = '', name, generation = 0 } = seen.metadata;
    const previous = this.#previous(latest);
    const status = composeStatus({ ...said, previous, declared, generation, now: clock.now() });
    const published = { before: readyOf(previous), after: readyOf(status)! };
    if (isDeepStrictEqual(status, previous)) return { ...published, written: undefined };

    const resourceVersion = options.guard ?? latest.metadata.resourceVersion;
    const applied = { metadata: { namespace, name, resourceVersion }, status };
    const apply = { subresource: 'status', fieldManager, signal: options.signal } as const;
    const written = await client.apply(cache.kind, applied, apply);
    cache.observe(written);
    this.#remember(written, status);
    return { ...published, written };
  }

  forget(key: string): void {
    this.#altered.delete(key);
  }

  /** The cache's, if it is the same object: a write of this very reconcile may have come after `seen`. */
  #latest(seen: RawObject): RawObject {
    const known = this.#options.cache.store.get(keyOf(seen.metadata))?.raw;
    return known?.metadata.uid === seen.metadata.uid ? known : seen;
  }

  #previous(raw: RawObject): Status {
    const altered = this.#altered.get(keyOf(raw.metadata));
    if (altered?.resourceVersion === raw.metadata.resourceVersion) return altered.status;
    return (raw.status as Status | undefined) ?? {};
  }

  #remember(written: RawObject, status: Status): void {
    const key = keyOf(written.metadata);
    if (isDeepStrictEqual(written.status, status)) this.#altered.delete(key);
    else this.#altered.set(key, { resourceVersion: written.metadata.resourceVersion, status });
  }
}

const readyOf = (status: Status) => status.conditions?.find((condition) => condition.type === 'Ready');
