import type { KubeObject, ResourceKind } from '../../../crds/resource.ts';
import type { Clock } from '../core/clock.ts';
import type { KubeClient } from '../kube/client.ts';
import { deepFreeze } from './freeze.ts';
import { sleep } from './sleep.ts';
import { leaveOut, type Store, splitKey } from './store.ts';
import { isNewer } from './version.ts';

type Loaded = { resourceVersion: string; object: KubeObject };
type Held = { loading: Promise<Loaded>; lastUse: number; version: string };

/** What no reconcile asked for in this time is not referenced any more and is dropped. */
const unusedMs = 15 * 60_000;
const sweepMs = 60_000;

/** Whole objects of a kind of which only metadata is watched: those that are asked for, while they are. */
export class Loader {
  readonly #kind: ResourceKind<KubeObject>;
  readonly #metadata: Store<KubeObject>;
  readonly #client: KubeClient;
  readonly #clock: Clock;
  /** Of the cache, not of a reconcile: others wait for the same answer. */
  readonly #signal: AbortSignal;
  readonly #held = new Map<string, Held>();

  constructor(
    kind: ResourceKind<KubeObject>,
    metadata: Store<KubeObject>,
    options: { client: KubeClient; clock: Clock; signal: AbortSignal },
  ) {
    this.#kind = kind;
    this.#metadata = metadata;
    this.#client = options.client;
    this.#clock = options.clock;
    this.#signal = options.signal;
  }

  get size(): number {
    return this.#held.size;
  }

  /** Throws `KubeError`, or what the kind's `parse` throws. Callers of the same version share one request. */
  async load(key: string): Promise<KubeObject> {
    const version = this.#metadata.get(key)?.raw.metadata.resourceVersion ?? '';
    let held = this.#held.get(key);
    if (!held || isNewer(version, held.version)) {
      held = { loading: this.#fetch(key), lastUse: 0, version };
      this.#held.set(key, held);
      held.loading.catch(() => this.#drop(key, held));
    }
    held.lastUse = this.#clock.now();
    const { object, resourceVersion } = await held.loading;
    if (isNewer(resourceVersion, held.version)) held.version = resourceVersion;
    return object;
  }

  /** The server's versions begin anew, below those that are known: none of them tells any more what is newer. */
  forgetAll(): void {
    this.#held.clear();
  }

  /** Drops what is deleted or out of use; ends with the signal of the constructor. */
  async run(): Promise<void> {
    while (!this.#signal.aborted) {
      await sleep(this.#clock, sweepMs, this.#signal);
      const since = this.#clock.now() - unusedMs;
      for (const [key, held] of this.#held) {
        if (held.lastUse < since || !this.#metadata.get(key)) this.#held.delete(key);
      }
    }
  }

  #drop(key: string, held: Held | undefined): void {
    if (this.#held.get(key) === held) this.#held.delete(key);
  }

  async #fetch(key: string): Promise<Loaded> {
    const raw = await this.#client.get(this.#kind, splitKey(key), { signal: this.#signal });
    leaveOut(raw.metadata);
    return { resourceVersion: raw.metadata.resourceVersion, object: deepFreeze(this.#kind.parse(raw)) };
  }
}
