import type { Clock } from '../core/clock.ts';
import { UnreachableError } from '../kube/kube-error.ts';
import type { Identity } from '../kube/stream-session.ts';
import { issueLeaf } from '../pki/leaf.ts';
import { PkiError } from '../pki/pki-error.ts';
import type { TargetAccess } from './access.ts';

/** Whom the operator is in a target cluster, and for how long a certificate says so. */
export type Person = { commonName: string; organization: string; lifetimeMs: number };

export const operator: Person = {
  commonName: 'firn:operator',
  organization: 'firn:cluster-admins',
  lifetimeMs: 24 * 3600_000,
};

/** A group that the API server lets do everything, which no binding gives and none takes: for the first minutes only. */
export const founder: Person = {
  commonName: 'firn:founder',
  organization: 'system:masters',
  lifetimeMs: 600_000,
};

type Made = { until: number; signedBy: string; trust: string; identity: Identity };

/** The operator's certificate for one cluster. It is made when it is first needed, lives in memory, and is never kept. */
export class Credentials {
  readonly #person: Person;
  readonly #clock: Clock;
  readonly #random: (bytes: number) => Uint8Array;
  /** Whoever asks meanwhile gets the same. */
  #latest: Promise<Made | undefined> = Promise.resolve(undefined);

  constructor(person: Person, clock: Clock, random: (bytes: number) => Uint8Array) {
    this.#person = person;
    this.#clock = clock;
    this.#random = random;
  }

  /**
   * The same object as long as it is the same: made anew at half its life, and when the authority changes. Throws
   * `UnreachableError` where that one cannot sign any more.
   */
  async identity(authority: TargetAccess['authority']): Promise<Identity> {
    const next = this.#latest.then((known) =>
      known && this.#isGood(known, authority) ? known : this.#make(authority),
    );
    this.#latest = next.catch(() => undefined);
    return (await next).identity;
  }

  #isGood({ signedBy, trust, until }: Made, authority: TargetAccess['authority']): boolean {
    return signedBy === authority.fingerprint && trust === authority.trust && this.#clock.now() < until;
  }

  async #make({ signer, fingerprint, trust }: TargetAccess['authority']): Promise<Made> {
    const { commonName, organization, lifetimeMs } = this.#person;
    const now = this.#clock.now();
    const { certificate, key } = await issueLeaf(
      signer,
      {
        commonName,
        organizations: [organization],
        ends: ['client auth'],
        algorithm: 'ECDSA-P256',
        lifetimeMs,
      },
      { now, random: this.#random },
    ).catch(asUnreachable);
    const until = now + lifetimeMs / 2;
    return { until, signedBy: fingerprint, trust, identity: { ca: trust, certificate, key } };
  }
}

function asUnreachable(error: unknown): never {
  if (!(error instanceof PkiError)) throw error;
  throw new UnreachableError(`the operator gets no certificate of its own: ${error.message}`, {
    cause: error,
  });
}
