import type { Clock } from '../core/clock.ts';
import type { Connection } from './connection.ts';
import { abortable } from './deadline.ts';
import { dial } from './dial.ts';
import type { Gate } from './gate.ts';
import { createGate } from './gate.ts';
import type { Target } from './host.ts';
import { HostError } from './host-error.ts';
import { type Identity, identityOf, serves } from './identity.ts';
import type { HostLimits } from './limits.ts';

/** One call's share of a connection. */
export type Lease = {
  readonly connection: Connection;
  /** Enters the connection's queue for channels; the returned function leaves it. */
  readonly gate: Gate;
  /** False for a connection that was opened for this call. */
  readonly reused: boolean;
  /** No more calls on this connection; it closes when those that are on it have ended. */
  retire(): void;
  release(): void;
};

export type Pool = {
  /** `fresh`: a connection of the call's own, which then replaces the pooled one. */
  lease(target: Target, want: 'pooled' | 'fresh', signal: AbortSignal): Promise<Lease>;
  /** The key that the newest connection to this target showed, or null. */
  hostKeyOf(target: Target): string | null;
  forget(poolKey: string): void;
  close(): Promise<void>;
};

type Entry = {
  readonly identity: Identity;
  readonly connecting: Promise<Connection>;
  connection: Connection | null;
  readonly gate: Gate;
  users: number;
  retired: boolean;
  stopIdle: () => void;
};

export function createPool(limits: HostLimits, clock: Clock): Pool {
  const current = new Map<string, Entry>();
  const all = new Set<Entry>();
  const seenKeys = new Map<string, { host: string; port: number; hostKey: string }>();
  const connectGate = createGate(limits.connecting);
  const closing = new AbortController();

  const retire = (entry: Entry): void => {
    entry.retired = true;
    if (entry.users === 0) entry.connection?.close();
  };

  /** Makes an entry the one that later calls share. */
  const install = (poolKey: string, entry: Entry): void => {
    const before = current.get(poolKey);
    current.set(poolKey, entry);
    if (before !== undefined && before !== entry) retire(before);
  };

  const drop = (poolKey: string, entry: Entry): void => {
    entry.stopIdle();
    all.delete(entry);
    if (current.get(poolKey) === entry) current.delete(poolKey);
  };

  const open = (target: Target): Entry => {
    const connecting = (async () => {
      const leave = await connectGate.enter(closing.signal);
      try {
        return await dial(target, limits, clock, closing.signal);
      } finally {
        leave();
      }
    })();
    const entry: Entry = {
      identity: identityOf(target),
      connecting,
      connection: null,
      gate: createGate(limits.channels),
      users: 0,
      retired: false,
      stopIdle: () => {},
    };
    all.add(entry);
    connecting.then(
      (connection) => {
        entry.connection = connection;
        seenKeys.set(target.poolKey, { host: target.host, port: target.port, hostKey: connection.hostKey });
        void connection.gone.then(() => drop(target.poolKey, entry));
        // Everyone who waited may have left meanwhile, and so may we.
        if (closing.signal.aborted) connection.close();
        else idle(entry);
      },
      () => drop(target.poolKey, entry),
    );
    return entry;
  };

  const idle = (entry: Entry): void => {
    if (entry.users > 0) return;
    if (entry.retired) entry.connection?.close();
    else entry.stopIdle = clock.after(limits.idleMs, () => entry.connection?.close());
  };

  const share = async (entry: Entry, reused: boolean, signal: AbortSignal): Promise<Lease> => {
    entry.users += 1;
    entry.stopIdle();
    let released = false;
    const release = (): void => {
      if (released) return;
      released = true;
      entry.users -= 1;
      if (entry.connection !== null) idle(entry);
    };
    try {
      const connection = await orAborted(entry.connecting, signal);
      return { connection, gate: entry.gate, reused, retire: () => retire(entry), release };
    } catch (error) {
      release();
      throw error;
    }
  };

  return {
    async lease(target, want, signal) {
      signal.throwIfAborted();
      if (closing.signal.aborted) throw closing.signal.reason;
      const pooled = current.get(target.poolKey);
      if (want === 'pooled' && pooled !== undefined && !pooled.retired && serves(pooled, target)) {
        return share(pooled, pooled.connection !== null, signal);
      }
      const entry = open(target);
      if (want === 'pooled') install(target.poolKey, entry);
      const lease = await share(entry, false, signal);
      if (want === 'fresh') install(target.poolKey, entry);
      return lease;
    },
    hostKeyOf(target) {
      const seen = seenKeys.get(target.poolKey);
      return seen !== undefined && seen.host === target.host && seen.port === target.port
        ? seen.hostKey
        : null;
    },
    forget(poolKey) {
      seenKeys.delete(poolKey);
      const entry = current.get(poolKey);
      current.delete(poolKey);
      if (entry === undefined) return;
      entry.retired = true;
      entry.connection?.close();
    },
    async close() {
      closing.abort(new HostError('ConnectionLost', 'the operator is stopping'));
      const entries = [...all];
      for (const entry of entries) entry.connection?.close();
      await Promise.allSettled(entries.map(async (entry) => (await entry.connecting).gone));
    },
  };
}

/** The shared promise goes on for the others when one caller leaves. */
const orAborted = <T>(promise: Promise<T>, signal: AbortSignal): Promise<T> =>
  abortable<T>(signal, (resolve, reject) => {
    promise.then(resolve, reject);
    return () => {};
  });
