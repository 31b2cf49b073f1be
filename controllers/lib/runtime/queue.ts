import type { Clock } from '../core/clock.ts';
import { Heap } from './heap.ts';

/** What the queue tells while it works; all synchronous and cheap. */
export type QueueObserver = {
  added(): void;
  /** `waitedMs`: from when the key was due until a worker took it. */
  taken(waitedMs: number): void;
};

/** One appointment of a key. A key has at most one that counts; those it replaced stay in the heap, ignored. */
type Appointment = { key: string; due: number; order: number };
type Running = { since: number; again: number | undefined };
type Taker = { give(key: string): void; leave(): void };

/**
 * Keys that wait to be reconciled, never objects. A key is there once, at the earliest time that anybody
 * asked for; a key that is being worked on is not given out again before `done`.
 */
export class Queue {
  readonly #clock: Clock;
  readonly #observer: QueueObserver;
  readonly #pending = new Map<string, Appointment>();
  readonly #running = new Map<string, Running>();
  readonly #failures = new Map<string, number>();
  readonly #takers: Taker[] = [];
  #heap = newHeap();
  #order = 0;
  #alarm: { at: number; cancel: () => void } | undefined;

  constructor(clock: Clock, observer: QueueObserver) {
    this.#clock = clock;
    this.#observer = observer;
  }

  /** Keys that wait for a worker now; those that wait for their time are not among them. */
  get depth(): number {
    const now = this.#clock.now();
    let due = 0;
    for (const appointment of this.#pending.values()) if (appointment.due <= now) due++;
    return due;
  }

  get running(): number {
    return this.#running.size;
  }

  /** For how long each key that is being worked on has been. */
  get runningMs(): number[] {
    const now = this.#clock.now();
    return Array.from(this.#running.values(), ({ since }) => now - since);
  }

  /** Something changed: as soon as possible, whatever backoff or recheck the key was waiting for. */
  wake(key: string): void {
    this.#appoint(key, this.#clock.now());
  }

  /** Failures of this key in a row. */
  failures(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  isRunning(key: string): boolean {
    return this.#running.has(key);
  }

  /** The next due key, now or when there is one; undefined when `signal` aborts. The caller owes a `done`. */
  take(signal: AbortSignal): Promise<string | undefined> {
    if (signal.aborted) return Promise.resolve(undefined);
    const key = this.#takeDue();
    if (key !== undefined) return Promise.resolve(key);
    return new Promise((resolve) => {
      const leave = () => {
        this.#takers.splice(this.#takers.indexOf(taker), 1);
        resolve(undefined);
      };
      const give = (given: string) => {
        signal.removeEventListener('abort', leave);
        resolve(given);
      };
      const taker: Taker = { give, leave };
      signal.addEventListener('abort', leave, { once: true });
      this.#takers.push(taker);
      this.#setAlarm();
    });
  }

  /** `requeueMs: null`: nothing but a wake brings it back. A wake during the work beats what is asked here. */
  done(key: string, outcome: { failed: boolean; requeueMs: number | null }): void {
    const running = this.#running.get(key);
    if (!running) throw new Error(`not being worked on: ${key}`);
    this.#running.delete(key);
    if (outcome.failed) this.#failures.set(key, this.failures(key) + 1);
    else this.#failures.delete(key);
    const requeueAt =
      outcome.requeueMs === null ? Number.POSITIVE_INFINITY : this.#clock.now() + outcome.requeueMs;
    const due = Math.min(running.again ?? Number.POSITIVE_INFINITY, requeueAt);
    if (due !== Number.POSITIVE_INFINITY) this.#appoint(key, due);
  }

  /** The object is gone: so are its appointment and its failures. */
  forget(key: string): void {
    this.#failures.delete(key);
    this.#pending.delete(key);
  }

  #appoint(key: string, due: number): void {
    const running = this.#running.get(key);
    if (running) {
      running.again = Math.min(running.again ?? due, due);
      return;
    }
    const former = this.#pending.get(key);
    if (former && former.due <= due) return;
    const appointment = { key, due, order: this.#order++ };
    this.#pending.set(key, appointment);
    this.#heap.push(appointment);
    this.#observer.added();
    this.#dropStale();
    this.#serve();
  }

  #takeDue(): string | undefined {
    const next = this.#next();
    const now = this.#clock.now();
    if (!next || next.due > now) return undefined;
    this.#heap.pop();
    this.#pending.delete(next.key);
    this.#running.set(next.key, { since: now, again: undefined });
    this.#observer.taken(now - next.due);
    return next.key;
  }

  #serve(): void {
    while (this.#takers.length > 0) {
      const key = this.#takeDue();
      if (key === undefined) break;
      this.#takers.shift()!.give(key);
    }
    this.#setAlarm();
  }

  /** One timer, for the earliest appointment, and only while somebody waits for it. */
  #setAlarm(): void {
    const next = this.#takers.length > 0 ? this.#next() : undefined;
    if (this.#alarm?.at === next?.due) return;
    this.#alarm?.cancel();
    this.#alarm = undefined;
    if (!next) return;
    // Timers count 32 bits of milliseconds; a later appointment is looked at again after 24 days.
    const wait = Math.min(Math.max(0, next.due - this.#clock.now()), 2 ** 31 - 1);
    const cancel = this.#clock.after(wait, () => {
      this.#alarm = undefined;
      this.#serve();
    });
    this.#alarm = { at: next.due, cancel };
  }

  #next(): Appointment | undefined {
    for (;;) {
      const next = this.#heap.peek();
      if (!next || this.#pending.get(next.key) === next) return next;
      this.#heap.pop();
    }
  }

  /** Keys that are woken again and again before their time would fill the heap with replaced appointments. */
  #dropStale(): void {
    if (this.#heap.size < 2 * this.#pending.size + 64) return;
    const heap = newHeap();
    for (const appointment of this.#pending.values()) heap.push(appointment);
    this.#heap = heap;
  }
}

const newHeap = () =>
  new Heap<Appointment>((a, b) => a.due < b.due || (a.due === b.due && a.order < b.order));
