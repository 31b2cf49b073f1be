import { createHash } from 'node:crypto';
import type { Logger } from 'pino';
import { clip } from '../core/clip.ts';
import type { Clock } from '../core/clock.ts';
import type { Kind, KubeClient, RawObject } from '../kube/client.ts';
import { isNotFound } from '../kube/kube-error.ts';
import { sleep } from './sleep.ts';

/** events.k8s.io/v1. */
const eventKind: Kind = {
  group: 'events.k8s.io',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  namespaced: true,
  parse: (raw) => raw as RawObject,
};

export type EventType = 'Normal' | 'Warning';
export type EventText = { type: EventType; reason: string; message: string };

export type RecorderOptions = {
  client: KubeClient;
  clock: Clock;
  log: Logger;
  /** Of this replica: `reportingInstance`. */
  identity: string;
  signal: AbortSignal;
};

/** The same words about the same object within this time are one event with a count (a series). */
const seriesMs = 10 * 60_000;
/** A series is written at most this often; what repeats in between is counted. */
const seriesWriteMs = 60_000;
/** New events of each type that an object may have in a minute: more nobody reads, and progress must not hide a failure. */
const perObjectAMinute = 10;
/** Between two writes: at most 25 a second, so that a fleet that comes up does not compete with its own statuses. */
const paceMs = 40;
/** What waits to be written, a kilobyte each: late events are better than none, and a server that is away does not make us grow. */
const maxWaiting = 5000;
const maxRemembered = 5000;
/** Bytes: the API server refuses an event with more. */
const maxNote = 1024;

type Series = { name: string; namespace: string; count: number; lastSeen: number; lastWrite: number };
type Budget = { since: number; used: number };

/** Writes events in the background, best effort: no reconcile waits for them or fails with them. */
export class Recorder {
  readonly #options: RecorderOptions;
  readonly #series = new Map<string, Series>();
  readonly #budgets = new Map<string, Budget>();
  readonly #waiting: (() => Promise<void>)[] = [];
  #writing: Promise<void> | undefined;
  #dropped = 0;
  readonly #hurry = new AbortController();
  /** Aborts when nobody is to wait for a pause any more. */
  readonly #unpaced: AbortSignal;

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#unpaced = AbortSignal.any([options.signal, this.#hurry.signal]);
  }

  /** Events that were not written: over budget, or while too many waited. */
  get dropped(): number {
    return this.#dropped;
  }

  record(controller: string, about: RawObject, text: EventText): void {
    const now = this.#options.clock.now();
    const id = [controller, about.metadata.uid, text.type, text.reason, text.message].join('\0');
    const series = this.#series.get(id);
    if (series && now - series.lastSeen < seriesMs) this.#repeat(series, now);
    else this.#begin(id, controller, about, text, now);
  }

  /** For the end: writes without pauses from here on, and resolves when nothing waits any more. */
  async flush(): Promise<void> {
    this.#hurry.abort();
    await this.#writing;
  }

  #begin(id: string, controller: string, about: RawObject, text: EventText, now: number): void {
    if (!this.#withinBudget(`${about.metadata.uid} ${text.type}`, now)) {
      this.#dropped++;
      return;
    }
    const { metadata } = about;
    const hash = createHash('sha256').update(`${id}\0${now}`).digest('hex').slice(0, 16);
    const name = `${metadata.name}.${hash}`;
    // Events of cluster-scoped objects live in `default`.
    const namespace = metadata.namespace || 'default';
    remember(this.#series, id, { name, namespace, count: 1, lastSeen: now, lastWrite: now });
    const event = {
      metadata: { name, namespace },
      eventTime: microTime(now),
      reportingController: `firn.dev/${controller}`,
      reportingInstance: this.#options.identity.slice(0, 128),
      action: 'Reconcile',
      type: text.type,
      reason: text.reason.slice(0, 128),
      note: clip(text.message, maxNote),
      regarding: {
        apiVersion: about.apiVersion,
        kind: about.kind,
        name: metadata.name,
        namespace: metadata.namespace ?? '',
        uid: metadata.uid,
        resourceVersion: metadata.resourceVersion,
      },
    };
    const { client, signal } = this.#options;
    this.#enqueue(() => client.create(eventKind, event, { signal }));
  }

  #repeat(series: Series, now: number): void {
    series.count++;
    series.lastSeen = now;
    if (now - series.lastWrite < seriesWriteMs) return;
    series.lastWrite = now;
    const patch = { series: { count: series.count, lastObservedTime: microTime(now) } };
    const { client, signal } = this.#options;
    this.#enqueue(() => client.mergePatch(eventKind, series, patch, { signal }));
  }

  #withinBudget(key: string, now: number): boolean {
    const former = this.#budgets.get(key);
    const budget = former && now - former.since < 60_000 ? former : { since: now, used: 0 };
    remember(this.#budgets, key, budget);
    budget.used++;
    return budget.used <= perObjectAMinute;
  }

  #enqueue(write: () => Promise<unknown>): void {
    if (this.#waiting.length >= maxWaiting) {
      this.#dropped++;
      return;
    }
    this.#waiting.push(async () => {
      await write();
    });
    this.#writing ??= this.#drain();
  }

  /** One at a time: events are never worth more than the reconciles' own requests. */
  async #drain(): Promise<void> {
    for (let write = this.#waiting.shift(); write; write = this.#waiting.shift()) {
      try {
        await write();
      } catch (err) {
        this.#dropped++;
        // The event of a series expires on the server (an hour by default) or with its namespace.
        if (!isNotFound(err) && !this.#options.signal.aborted)
          this.#options.log.warn({ err }, 'an event was not written');
      }
      await sleep(this.#options.clock, paceMs, this.#unpaced);
    }
    this.#writing = undefined;
  }
}

/** Keeps the latest: maps iterate in the order of insertion. */
function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > maxRemembered) map.delete(map.keys().next().value as string);
}

/** `metav1.MicroTime`. */
const microTime = (ms: number): string => new Date(ms).toISOString().replace('Z', '000Z');
