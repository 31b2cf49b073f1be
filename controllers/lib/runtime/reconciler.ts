import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { KubeObject } from '../../../crds/resource.ts';
import type { Clock } from '../core/clock.ts';
import { ReconcileError, type Settled, settle, type Verdict } from '../core/outcome.ts';
import type { KubeClient, RawObject } from '../kube/client.ts';
import { isConflict, isNotFound } from '../kube/kube-error.ts';
import type { Cache } from './cache.ts';
import type { Controller, Reader } from './controller.ts';
import type { Recorder } from './events.ts';
import { deadline } from './sleep.ts';
import type { Condition } from './status.ts';
import { StatusWriter } from './status-writer.ts';
import { type Entry, keyOf } from './store.ts';
import { Visit } from './visit.ts';

export type ReconcilerOptions = {
  client: KubeClient;
  clock: Clock;
  random: () => number;
  log: Logger;
  recorder: Recorder;
  read: Reader;
  cache: Cache;
  /** Aborts reconciles; what they have said until then may still be written. */
  stopped: AbortSignal;
  /** After this not even statuses are written: leadership is lost, or time is up. */
  killed: AbortSignal;
};

/** How a reconcile ended, for queue and metrics. */
export type Outcome = {
  failed: boolean;
  stalled: boolean;
  requeueMs: number | null;
  /** resourceVersion up to which everything about the object was taken into account. */
  version?: string;
};

const defaultDeadlineMs = 120_000;
/** After losing a race for a guarded write: the watch is about to tell what won it. */
const conflictMs = 500;
const gone: Outcome = { failed: false, stalled: false, requeueMs: null };
const again: Outcome = { failed: false, stalled: false, requeueMs: conflictMs };

/** Takes one object of a controller from what the cache says through its reconcile to a written status. */
export class Reconciler {
  readonly #controller: Controller;
  readonly #options: ReconcilerOptions;
  readonly #writer: StatusWriter;

  constructor(controller: Controller, options: ReconcilerOptions) {
    this.#controller = controller;
    this.#options = options;
    this.#writer = new StatusWriter({
      client: options.client,
      cache: options.cache,
      clock: options.clock,
      fieldManager: `firn-${controller.name}`,
      declared: controller.conditions,
    });
  }

  forget(key: string): void {
    this.#writer.forget(key);
  }

  async reconcile(key: string, attempt: number): Promise<Outcome> {
    const entry = this.#options.cache.store.get(key);
    if (!entry) return gone;
    const { namespace, name } = entry.raw.metadata;
    const log = this.#options.log.child({ namespace, name, reconcileID: randomUUID() });
    try {
      return await this.#visit(entry, attempt, log);
    } catch (err) {
      // Only the runtime's own writes end up here: an object that is gone or changed is no failure of ours.
      if (isNotFound(err)) return gone;
      if (isConflict(err)) return again;
      if (!this.#options.stopped.aborted) log.error({ err }, 'the status or the finalizer was not written');
      return {
        failed: true,
        stalled: false,
        requeueMs: settle({ error: err }, attempt, this.#options.random()).requeueMs,
      };
    }
  }

  async #visit(entry: Entry<KubeObject>, attempt: number, log: Logger): Promise<Outcome> {
    const { finalizer } = this.#controller;
    const { metadata } = entry.raw;
    const deleting = metadata.deletionTimestamp !== undefined;
    const held = finalizer !== undefined && (metadata.finalizers ?? []).includes(finalizer);
    if (deleting && !held) return gone;
    if (!deleting && finalizer !== undefined && !held) {
      await this.#setFinalizers(entry.raw, [...(metadata.finalizers ?? []), finalizer]);
      entry = this.#options.cache.store.get(keyOf(metadata)) ?? entry;
    }
    return this.#run(entry, deleting ? 'finalize' : 'reconcile', attempt, log);
  }

  async #run(
    entry: Entry<KubeObject>,
    what: 'reconcile' | 'finalize',
    attempt: number,
    log: Logger,
  ): Promise<Outcome> {
    const { clock, stopped, random } = this.#options;
    const seen = entry.raw;
    const deadlineMs = this.#controller.deadlineMs ?? defaultDeadlineMs;
    const limit = deadline(clock, deadlineMs, stopped);
    const visit = new Visit(seen.metadata.resourceVersion, {
      read: this.#options.read,
      clock,
      log,
      attempt,
      declared: this.#controller.conditions,
      deadlineMs,
      signal: limit.signal,
      stopped,
      event: (text) => this.#options.recorder.record(this.#controller.name, seen, text),
      publish: (so) => this.#publish(seen, so, progressing, so.version),
    });
    const result = await this.#call(entry, what, visit).finally(limit.release);
    // Cut off by us: half a truth is not written, the next leader finds out the whole.
    if (stopped.aborted && result !== 'done' && 'error' in result) return gone;
    if (result === 'done') return this.#letGo(seen);

    const settled = settle(result, attempt, random());
    const verdict = 'error' in result ? verdictOf(result.error) : undefined;
    const waiting = verdict === 'waiting' || verdict === 'progressing';
    logOutcome(log, result, settled, attempt);
    const said =
      what === 'finalize' && settled.ready ? finalizing : { ...settled, well: verdict === 'progressing' };
    await this.#publish(seen, visit, said, undefined);
    const failed = 'error' in result && !waiting;
    return { failed, stalled: settled.stalled, requeueMs: settled.requeueMs, version: visit.version };
  }

  async #call(entry: Entry<KubeObject>, what: 'reconcile' | 'finalize', visit: Visit) {
    const { parsed } = entry;
    try {
      if (!parsed.ok) throw new ReconcileError('terminal', 'InvalidSpec', parsed.message);
      if (what === 'reconcile') return await this.#controller.reconcile(parsed.object, visit.context());
      return (await this.#controller.finalize?.(parsed.object, visit.context())) ?? 'done';
    } catch (error) {
      return { error: visit.understand(error) };
    }
  }

  async #publish(seen: RawObject, visit: Visit, settled: Said, guard: string | undefined): Promise<void> {
    const { stepped, omitted, reported, word } = visit;
    const said = { stepped, omitted, reported, word, settled };
    const { written, before, after } = await this.#writer.publish(seen, said, {
      guard,
      signal: this.#options.killed,
    });
    if (written) visit.version = written.metadata.resourceVersion;
    if (before?.reason !== after.reason) this.#tell(seen, after, settled);
  }

  #tell(about: RawObject, ready: Condition, settled: Said): void {
    const { reason, message } = ready;
    // Who is under way without more to say is not news.
    if (message === '' && !settled.ready) return;
    const type = settled.ready || settled.well ? 'Normal' : 'Warning';
    const text = { type, reason, message: message || 'it is as it should be' } as const;
    this.#options.recorder.record(this.#controller.name, about, text);
  }

  async #letGo(seen: RawObject): Promise<Outcome> {
    const latest = this.#options.cache.store.get(keyOf(seen.metadata))?.raw ?? seen;
    const finalizers = (latest.metadata.finalizers ?? []).filter(
      (name) => name !== this.#controller.finalizer,
    );
    await this.#setFinalizers(latest, finalizers);
    return gone;
  }

  /** Guarded: the list is replaced as a whole, and others add to it and take from it. */
  async #setFinalizers(object: RawObject, finalizers: string[]): Promise<void> {
    const { namespace = '', name, uid, resourceVersion } = object.metadata;
    const patch = { metadata: { uid, resourceVersion, finalizers } };
    const { client, cache, killed } = this.#options;
    cache.observe(await client.mergePatch(cache.kind, { namespace, name }, patch, { signal: killed }));
  }
}

/** `well`: not ready, and nobody has to do anything about it. */
type Said = Pick<Settled, 'ready' | 'reason' | 'message' | 'stalled'> & { well: boolean };
const progressing: Said = { ready: false, reason: 'Progressing', message: '', stalled: false, well: true };
const finalizing: Said = { ...progressing, reason: 'Finalizing' };

const verdictOf = (error: unknown): Verdict | undefined =>
  error instanceof ReconcileError ? error.verdict : undefined;

function logOutcome(log: Logger, result: object, settled: Settled, attempt: number): void {
  const { reason, requeueMs, message } = settled;
  if (!('error' in result)) log.debug({ reason, requeueMs }, 'reconciled');
  else if (['waiting', 'progressing'].includes(verdictOf(result.error) ?? ''))
    log.debug({ reason, requeueMs, message }, 'waiting');
  else if (result.error instanceof ReconcileError)
    log.warn({ err: result.error, attempt, requeueMs }, 'not reconciled');
  else log.error({ err: result.error, attempt, requeueMs }, 'an unexpected error');
}
