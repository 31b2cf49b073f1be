/** An authority as its Secret has it: who signs, whom everybody trusts, and how far a rotation is. */
import { createHash } from 'node:crypto';
import { Sealed } from '../lib/core/sealed.ts';
import type { Secret } from '../lib/kube/core-kinds.ts';
import { type Authority, authorityText, parseAuthority } from '../lib/pki/authority.ts';
import { fingerprintOf } from '../lib/pki/inspect.ts';
import { splitPem } from '../lib/pki/pem.ts';
import { parseRecord, printRecord, type RotationRecord, recordKey, type Stage } from './record.ts';
import { textIn } from './secret-names.ts';

export type AuthorityState = {
  signer: Authority;
  /** The one to come while it is distributed, or the one that is taken back. */
  next: Authority | null;
  /** The former one, as long as the rotation can be taken back. */
  previous: Authority | null;
  record: RotationRecord;
};

export const authorityStages = ['Distribute', 'Reissue', 'Retire', 'Abort'] as const satisfies Stage[];

/**
 * Certificates (PEM) that everybody trusts, in the order of fingerprints: Reissue needs no other file than Distribute. In
 * Abort the order is turned. It is the same set as in Distribute, and a host that is about to take up Reissue, and says
 * yet that it has Distribute, must not be taken for one that has Abort.
 */
export function trustOf({ signer, next, previous, record }: AuthorityState): string[] {
  const all = [signer, next, previous].flatMap((authority) => authority?.certificate ?? []);
  const byFingerprint = new Map(all.map((pem) => [fingerprintOf(pem), pem]));
  const sorted = [...byFingerprint].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, pem]) => pem);
  return record.stage === 'Abort' ? sorted.reverse() : sorted;
}

/** What tells one list of trusted authorities from another: SHA-256, hex. */
export const trustFingerprint = (certificates: readonly string[]): string =>
  createHash('sha256')
    .update(certificates.map((pem) => fingerprintOf(pem)).join('\n'))
    .digest('hex');

/** `data` of the Secret, each value in the clear: into a request to the API server and nowhere else. */
export function authorityData(state: AuthorityState): Record<string, Sealed<string>> {
  const { signer, next, previous, record } = state;
  return {
    ...pair('tls', signer),
    'ca.crt': new Sealed(trustOf(state).join('')),
    ...(next && pair('next', next)),
    ...(previous && pair('previous', previous)),
    [recordKey]: new Sealed(printRecord(record)),
  };
}

const pair = (name: string, authority: Authority): Record<string, Sealed<string>> => ({
  [`${name}.crt`]: new Sealed(authorityText(authority)),
  [`${name}.key`]: authority.key,
});

export type ReadAuthority = {
  signer: Authority;
  /** `ca.crt`, certificate by certificate; who signs is always among them. */
  trust: string[];
};

/** Throws `PkiError` where the Secret has no authority that can sign. */
export function readSigner(secret: Pick<Secret, 'data'>): ReadAuthority {
  const signer = readPair(secret, 'tls');
  const trusted = splitPem(textIn(secret, 'ca.crt') ?? '');
  const own = fingerprintOf(signer.certificate);
  const has = trusted.some((pem) => fingerprintOf(pem) === own);
  return { signer, trust: has ? trusted : [signer.certificate, ...trusted] };
}

/** As `readSigner`, with all that a rotation needs; `record` is null where there is none. */
export function readAuthority(
  secret: Pick<Secret, 'data'>,
): Omit<AuthorityState, 'record'> & { record: RotationRecord | null } {
  const optional = (name: string) => (secret.data[`${name}.crt`] ? readPair(secret, name) : null);
  return {
    signer: readPair(secret, 'tls'),
    next: optional('next'),
    previous: optional('previous'),
    record: parseRecord(textIn(secret, recordKey), authorityStages),
  };
}

const readPair = (secret: Pick<Secret, 'data'>, name: string): Authority =>
  parseAuthority(textIn(secret, `${name}.crt`) ?? '', new Sealed(textIn(secret, `${name}.key`) ?? ''));
