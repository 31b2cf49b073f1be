import { isDeepStrictEqual } from 'node:util';
import type { KubeObject, Metadata } from '../../../crds/resource.ts';
import type { Cache } from './cache.ts';
import type { CacheReader, Controller, Input, Woken } from './controller.ts';
import type { ControllerMetrics, Metrics } from './metrics.ts';
import { Queue } from './queue.ts';
import { type Caches, kindId, lenientReader } from './reader.ts';
import { Reconciler, type ReconcilerOptions } from './reconciler.ts';
import { type Change, type Entry, keyOf, splitKey } from './store.ts';

export type RunnerOptions = Omit<ReconcilerOptions, 'cache'> & {
  caches: Caches;
  metrics: Metrics;
  workers: number;
};

/** One controller at work: what wakes which key, and the workers that take keys to their reconciles. */
export class Runner {
  readonly #controller: Controller;
  readonly #options: RunnerOptions;
  readonly #primaries: Cache;
  readonly #queue: Queue;
  readonly #metrics: ControllerMetrics;
  readonly #reconciler: Reconciler;
  readonly #read: CacheReader;

  constructor(controller: Controller, options: RunnerOptions) {
    this.#controller = controller;
    this.#options = options;
    this.#primaries = options.caches.get(kindId(controller.primary))!;
    this.#read = lenientReader(options.caches);
    this.#metrics = options.metrics.controller(controller.name, () => this.#queue);
    this.#queue = new Queue(options.clock, {
      added: () => this.#metrics.added(),
      taken: (waitedMs) => this.#metrics.taken(waitedMs / 1000),
    });
    this.#reconciler = new Reconciler(controller, { ...options, cache: this.#primaries });
    this.#primaries.subscribe((change) => this.#onPrimary(change));
    for (const input of controller.inputs) {
      options.caches.get(kindId(input.kind))!.subscribe((change) => this.#onInput(input, change));
    }
  }

  /** Reconciles everything there is, then what wakes; ends when `stopped` aborts and the last worker is done. */
  async run(): Promise<void> {
    for (const key of this.#primaries.store.keys()) this.#queue.wake(key);
    this.#metrics.workers(this.#options.workers);
    const wake = (woken: Woken) => this.#wake(keyOf(woken));
    await Promise.all([
      ...Array.from({ length: this.#options.workers }, () => this.#work()),
      this.#controller.source?.run(wake, this.#options.stopped),
    ]);
  }

  async #work(): Promise<void> {
    for (;;) {
      const key = await this.#queue.take(this.#options.stopped);
      if (key === undefined) return;
      await this.#reconcile(key);
    }
  }

  async #reconcile(key: string): Promise<void> {
    const { clock } = this.#options;
    const startedAt = clock.now();
    const outcome = await this.#reconciler.reconcile(key, this.#queue.failures(key));
    const seconds = (clock.now() - startedAt) / 1000;
    this.#metrics.worked(seconds);
    const requeued = outcome.requeueMs === null ? 'success' : 'requeue_after';
    this.#metrics.reconciled(outcome.failed ? 'error' : requeued, seconds);
    if (outcome.stalled) this.#metrics.terminal();
    if (outcome.failed && outcome.requeueMs !== null) this.#metrics.retried();
    this.#queue.done(key, outcome);
    // What could have been our own write did not wake the key while it ran; if it was not, look again.
    const now = this.#primaries.store.get(key)?.raw.metadata.resourceVersion;
    if (now === undefined) this.#forget(key);
    else if (outcome.version !== undefined && now !== outcome.version) this.#queue.wake(key);
  }

  #onPrimary({ key, before, after }: Change<KubeObject>): void {
    const ours = before && after && mayBeOurs(before.raw.metadata, after.raw.metadata);
    if (!after) this.#forget(key);
    else if (!(ours && this.#queue.isRunning(key))) this.#queue.wake(key);
  }

  #onInput(input: Input, { key, before, after }: Change<KubeObject>): void {
    const concerns = concernedBy(input, before, after);
    if (!concerns) return;
    const keys = new Set<string>();
    for (const entry of [before, after]) {
      if (!entry) continue;
      const { parsed } = entry;
      // Whom an unreadable object concerns cannot be known: all of its namespace find out what is wrong with it.
      const woken = parsed.ok
        ? [...input.keysOf(parsed.object, this.#read)].map(keyOf)
        : this.#namespaceOf(key);
      for (const woke of woken) if (concerns(woke)) keys.add(woke);
    }
    for (const woken of keys) this.#wake(woken);
  }

  #wake(key: string): void {
    if (this.#primaries.store.get(key)) this.#queue.wake(key);
  }

  #namespaceOf(key: string): string[] {
    return this.#primaries.store.list(splitKey(key).namespace).map((entry) => keyOf(entry.raw.metadata));
  }

  #forget(key: string): void {
    this.#queue.forget(key);
    this.#reconciler.forget(key);
    this.#controller.source?.forget(splitKey(key));
  }
}

type Maybe = Entry<KubeObject> | undefined;

/** Whom of those that read an object its change concerns; null: nobody. */
function concernedBy(input: Input, before: Maybe, after: Maybe): ((key: string) => boolean) | null {
  if (!input.about || !before?.parsed.ok || !after?.parsed.ok) return everybody;
  const [former, latter] = [before.parsed.object, after.parsed.object];
  if (!isDeepStrictEqual(input.about(former), input.about(latter))) return everybody;
  if (!input.aboutEach) return null;
  const [was, is] = [input.aboutEach(former), input.aboutEach(latter)];
  return (key) => !isDeepStrictEqual(was(splitKey(key)), is(splitKey(key)));
}
const everybody = () => true;

/**
 * Whether nothing changed but what a reconcile writes itself: the status (the API server counts `generation`
 * up with every change outside of it and of metadata) and finalizers.
 */
function mayBeOurs(before: Metadata, after: Metadata): boolean {
  const { resourceVersion: _v, finalizers: _f, ...former } = before;
  const { resourceVersion: _w, finalizers: _g, ...latter } = after;
  return isDeepStrictEqual(former, latter);
}
