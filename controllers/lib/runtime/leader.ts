import type { Logger } from 'pino';
import type { Clock } from '../core/clock.ts';
import type { Kind, KubeClient, RawObject } from '../kube/client.ts';
import { isConflict, isNotFound } from '../kube/kube-error.ts';
import { deadline, sleep } from './sleep.ts';

/** coordination.k8s.io/v1 Lease. */
const leaseKind: Kind = {
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases',
  namespaced: true,
  parse: (raw) => raw as RawObject,
};

type LeaseSpec = {
  holderIdentity?: string;
  leaseDurationSeconds?: number;
  renewTime?: string;
  leaseTransitions?: number;
};

export type LeaseTimes = { leaseMs: number; renewDeadlineMs: number; retryMs: number };

/** client-go's: a holder that died is followed after 15 s, one that cannot renew for 10 s stops by itself. */
export const defaultLeaseTimes: LeaseTimes = { leaseMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2_000 };

export type LeaderOptions = {
  client: KubeClient;
  clock: Clock;
  random: () => number;
  log: Logger;
  namespace: string;
  /** Of the Lease. */
  name: string;
  /** Of this process, unlike that of any other, a former self included. */
  identity: string;
  times?: LeaseTimes;
};

/** Whoever may not be alone any more must stop; there is no way back but to start again. */
export class LeadershipLost extends Error {
  override readonly name = 'LeadershipLost';
}

/** Holds a Lease. Clocks of machines are not compared: expiry is counted from when we saw the holder's last renewal. */
export class Leader {
  readonly #options: LeaderOptions;
  readonly #times: LeaseTimes;
  #seen = { version: '', at: 0 };
  /** The version that we wrote last; whoever writes over it conflicts. */
  #held = '';

  constructor(options: LeaderOptions) {
    this.#options = options;
    this.#times = options.times ?? defaultLeaseTimes;
  }

  /** Resolves when the Lease is ours, or when `signal` aborts. */
  async acquire(signal: AbortSignal): Promise<void> {
    const { clock, random, log } = this.#options;
    while (!signal.aborted) {
      try {
        if (await this.#try(signal)) return;
      } catch (err) {
        if (!isConflict(err) && !signal.aborted) log.warn({ err }, 'the lease was not acquired');
      }
      await sleep(clock, this.#times.retryMs * (1 + 0.2 * random()), signal);
    }
  }

  /** Renews until `signal` aborts; throws `LeadershipLost` when it was taken or could not be renewed in time. */
  async hold(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    let renewedAt = clock.now();
    while (!signal.aborted) {
      await sleep(clock, this.#times.retryMs, signal);
      if (signal.aborted) return;
      const left = this.#times.renewDeadlineMs - (clock.now() - renewedAt);
      const limit = deadline(clock, Math.max(0, left), signal);
      const startedAt = clock.now();
      try {
        await this.#renew(limit.signal);
        renewedAt = startedAt;
      } catch (err) {
        if (signal.aborted) return;
        if (err instanceof LeadershipLost) throw err;
        log.warn({ err }, 'the lease was not renewed');
        const since = clock.now() - renewedAt;
        if (since >= this.#times.renewDeadlineMs)
          throw new LeadershipLost('the lease was not renewed in time');
      } finally {
        limit.release();
      }
    }
  }

  /** Lets the next one in at once, as client-go's ReleaseOnCancel does. */
  async release(signal: AbortSignal): Promise<void> {
    const spec = { holderIdentity: '', leaseDurationSeconds: 1, renewTime: this.#now() };
    await this.#patch(this.#held, spec, signal);
  }

  async #try(signal: AbortSignal): Promise<boolean> {
    const { client, clock, identity, namespace, name } = this.#options;
    const lease = await this.#get(signal);
    const now = this.#now();
    const leaseDurationSeconds = Math.round(this.#times.leaseMs / 1000);
    const mine = { holderIdentity: identity, leaseDurationSeconds, acquireTime: now, renewTime: now };
    if (!lease) {
      const object = { metadata: { namespace, name }, spec: { ...mine, leaseTransitions: 0 } };
      this.#held = (await client.create(leaseKind, object, this.#request(signal))).metadata.resourceVersion;
      return true;
    }
    const version = lease.metadata.resourceVersion;
    if (version !== this.#seen.version) this.#seen = { version, at: clock.now() };
    const spec = (lease.spec ?? {}) as LeaseSpec;
    const expired = clock.now() - this.#seen.at >= (spec.leaseDurationSeconds ?? 0) * 1000;
    if (spec.holderIdentity && spec.holderIdentity !== identity && !expired) return false;
    await this.#patch(version, { ...mine, leaseTransitions: (spec.leaseTransitions ?? 0) + 1 }, signal);
    return true;
  }

  async #renew(signal: AbortSignal): Promise<void> {
    try {
      await this.#patch(this.#held, { renewTime: this.#now() }, signal);
    } catch (error) {
      if (!isConflict(error)) throw error;
      // A renewal of ours whose answer never came conflicts with the next one; the holder tells it from a theft.
      const lease = await this.#get(signal);
      const { holderIdentity } = (lease?.spec ?? {}) as LeaseSpec;
      if (!lease || holderIdentity !== this.#options.identity)
        throw new LeadershipLost('somebody else took the lease');
      await this.#patch(lease.metadata.resourceVersion, { renewTime: this.#now() }, signal);
    }
  }

  async #get(signal: AbortSignal): Promise<RawObject | undefined> {
    try {
      return await this.#options.client.get(leaseKind, this.#options, this.#request(signal));
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async #patch(resourceVersion: string, spec: object, signal: AbortSignal): Promise<void> {
    const patch = { metadata: { resourceVersion }, spec };
    const written = await this.#options.client.mergePatch(
      leaseKind,
      this.#options,
      patch,
      this.#request(signal),
    );
    this.#held = written.metadata.resourceVersion;
  }

  /** Half of the time there is, as client-go has it: a connection that died must not cost the lease. */
  #request(signal: AbortSignal): { signal: AbortSignal; deadlineMs: number } {
    return { signal, deadlineMs: this.#times.renewDeadlineMs / 2 };
  }

  /** `metav1.MicroTime`. */
  #now(): string {
    return new Date(this.#options.clock.now()).toISOString().replace('Z', '000Z');
  }
}
