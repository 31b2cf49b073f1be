import type { Clock } from '../core/clock.ts';
import type { Connection } from './connection.ts';
import { orAborted } from './deadline.ts';
import { createGate, type Gate } from './gate.ts';
import type { Target } from './host.ts';
import { type Identity, identityOf } from './identity.ts';
import type { HostLimits } from './limits.ts';

/** One call's share of a connection. */
export type Lease = {
  readonly connection: Connection;
  /** The connection's queue for channels. */
  readonly gate: Gate;
  /** No more calls on this connection; it closes when those that are on it have ended. */
  retire(): void;
  release(): void;
};

/** A connection, from the wish for it to its end, and who uses it. */
export class PoolEntry {
  readonly identity: Identity;
  readonly connected: Promise<Connection>;
  /** Null until it is connected. */
  connection: Connection | null = null;
  retired = false;
  /** Resolves when the connection is gone or could not be had. */
  readonly gone: Promise<void>;
  readonly #gate: Gate;
  readonly #idleMs: number;
  readonly #clock: Clock;
  #users = 0;
  #closed = false;
  #stopIdle = (): void => {};

  constructor(target: Target, connected: Promise<Connection>, limits: HostLimits, clock: Clock) {
    this.identity = identityOf(target);
    this.connected = connected;
    this.#gate = createGate(limits.channels);
    this.#idleMs = limits.idleMs;
    this.#clock = clock;
    this.gone = connected.then(
      (connection) => this.#live(connection),
      () => {}, // whoever shares the entry is told
    );
  }

  async share(signal: AbortSignal): Promise<Lease> {
    this.#users += 1;
    this.#stopIdle();
    let held = true;
    const release = (): void => {
      if (held) this.#users -= 1;
      held = false;
      this.#rest();
    };
    try {
      const connection = await orAborted(this.connected, signal);
      return { connection, gate: this.#gate, retire: () => this.retire(), release };
    } catch (error) {
      release();
      throw error;
    }
  }

  retire(): void {
    this.retired = true;
    this.#rest();
  }

  /** At once, whoever uses it. */
  close(): void {
    this.#closed = true;
    this.connection?.close();
  }

  async #live(connection: Connection): Promise<void> {
    this.connection = connection;
    if (this.#closed) connection.close();
    // Everyone who waited for it may have left meanwhile.
    else this.#rest();
    await connection.gone;
    this.#stopIdle();
  }

  /** What becomes of a connection that nobody uses. */
  #rest(): void {
    if (this.#users > 0 || this.connection === null) return;
    this.#stopIdle();
    if (this.retired) this.connection.close();
    else this.#stopIdle = this.#clock.after(this.#idleMs, () => this.close());
  }
}
