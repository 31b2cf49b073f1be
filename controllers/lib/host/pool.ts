import type { Clock } from '../core/clock.ts';
import type { Connection } from './connection.ts';
import { createGate, type Gate } from './gate.ts';
import type { Target } from './host.ts';
import { HostError } from './host-error.ts';
import { serves } from './identity.ts';
import type { HostLimits } from './limits.ts';
import { type Lease, PoolEntry } from './pool-entry.ts';

/** How a pool gets a connection. Throws `HostError` or the signal's reason. */
export type Dial = (target: Target, signal: AbortSignal) => Promise<Connection>;

/** Connections by pool key: one that later calls share, and those that are being left. */
export class Pool {
  readonly #limits: HostLimits;
  readonly #clock: Clock;
  readonly #dialTarget: Dial;
  readonly #current = new Map<string, PoolEntry>();
  readonly #all = new Set<PoolEntry>();
  readonly #hostKeys = new Map<string, { host: string; port: number; hostKey: string }>();
  readonly #connecting: Gate;
  readonly #closing = new AbortController();

  constructor(limits: HostLimits, clock: Clock, dial: Dial) {
    this.#dialTarget = dial;
    this.#limits = limits;
    this.#clock = clock;
    this.#connecting = createGate(limits.connecting);
  }

  /** `fresh`: a connection of the call's own, which then replaces the pooled one. */
  async lease(target: Target, want: 'pooled' | 'fresh', signal: AbortSignal): Promise<Lease> {
    signal.throwIfAborted();
    this.#closing.signal.throwIfAborted();
    const pooled = this.#current.get(target.poolKey);
    if (want === 'pooled' && pooled !== undefined && !pooled.retired && serves(pooled, target)) {
      return pooled.share(signal);
    }
    const entry = this.#open(target);
    if (want === 'pooled') this.#install(target.poolKey, entry);
    const lease = await entry.share(signal);
    if (want === 'fresh') this.#install(target.poolKey, entry);
    return lease;
  }

  /** The key that the newest connection to this target showed, or null. */
  hostKeyOf(target: Target): string | null {
    const seen = this.#hostKeys.get(target.poolKey);
    return seen?.host === target.host && seen.port === target.port ? seen.hostKey : null;
  }

  forget(poolKey: string): void {
    this.#hostKeys.delete(poolKey);
    this.#current.get(poolKey)?.close();
    this.#current.delete(poolKey);
  }

  /** Ends every call and every connection, those that are being opened too. */
  async close(): Promise<void> {
    this.#closing.abort(new HostError('ConnectionLost', 'the operator is stopping'));
    const entries = [...this.#all];
    for (const entry of entries) entry.close();
    await Promise.all(entries.map((entry) => entry.gone));
  }

  /** Makes an entry the one that later calls share. */
  #install(poolKey: string, entry: PoolEntry): void {
    const before = this.#current.get(poolKey);
    this.#current.set(poolKey, entry);
    if (before !== entry) before?.retire();
  }

  #open(target: Target): PoolEntry {
    const { poolKey, host, port } = target;
    const entry = new PoolEntry(target, this.#dial(target), this.#limits, this.#clock);
    this.#all.add(entry);
    entry.connected.then(
      ({ hostKey }) => this.#hostKeys.set(poolKey, { host, port, hostKey }),
      () => {}, // whoever shares the entry is told
    );
    void entry.gone.then(() => {
      this.#all.delete(entry);
      if (this.#current.get(poolKey) === entry) this.#current.delete(poolKey);
    });
    return entry;
  }

  async #dial(target: Target): Promise<Connection> {
    const { signal } = this.#closing;
    const leave = await this.#connecting.enter(signal);
    try {
      return await this.#dialTarget(target, signal);
    } finally {
      leave();
    }
  }
}
