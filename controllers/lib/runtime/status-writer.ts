import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../core/clock.ts';
import type { KubeClient, RawObject } from '../kube/client.ts';
import type { Cache } from './cache.ts';
import { type Condition, composeStatus, type Status, type StatusInput } from './status.ts';
import { keyOf } from './store.ts';

export type Said = Pick<StatusInput, 'stepped' | 'settled' | 'reported' | 'word'>;
/** `written` is undefined when the status was so already. */
export type Published = { written: RawObject | undefined; before: Condition | undefined; after: Condition };

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
   * `seen` is the object that the reconcile looked at. Throws `KubeError`: 404 or a conflict of the uid when
   * it is gone. With `guard`, a resourceVersion, a conflict as well when the object is not of that version.
   */
  async publish(
    seen: RawObject,
    said: Said,
    options: { guard?: string | undefined; signal: AbortSignal },
  ): Promise<Published> {
    const { client, cache, clock, declared, fieldManager } = this.#options;
    const { namespace = '', name, uid, generation = 0 } = seen.metadata;
    const previous = this.#previous(this.#latest(seen));
    const status = composeStatus({ ...said, previous, declared, generation, now: clock.now() });
    const published = { before: readyOf(previous), after: readyOf(status)! };
    if (isDeepStrictEqual(status, previous)) return { ...published, written: undefined };

    const guarded = options.guard === undefined ? {} : { resourceVersion: options.guard };
    const applied = { metadata: { namespace, name, uid, ...guarded }, status };
    const written = await client.apply(cache.kind, applied, {
      subresource: 'status',
      fieldManager,
      signal: options.signal,
    });
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
