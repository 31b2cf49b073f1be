/** When a certificate is made anew. */
import { createHash } from 'node:crypto';

/** Milliseconds since the epoch. */
type Validity = { notBefore: number; notAfter: number };

/** Part of the lifetime by which renewals are spread. */
const spread = 10;

/**
 * Renewal is due `renewBeforeMs` before the end at the latest, and up to a tenth of the lifetime earlier: by a share
 * that follows from `jitterSeed` (such as node and path), so that the certificates of a fleet that was made in an hour
 * do not all fall due in one, and that asking twice gives the same answer. One that is not valid yet is due too.
 * Half of the lifetime is the most that `renewBeforeMs` counts for: a certificate cut short by the end of its authority
 * would be due as soon as it is made, again and again.
 */
export function isDue(
  certificate: Validity,
  policy: { renewBeforeMs: number },
  jitterSeed: string,
  nowMs: number,
): boolean {
  return nowMs < certificate.notBefore || nowMs >= dueAt(certificate, policy, jitterSeed);
}

/** Milliseconds since the epoch. */
export function dueAt(certificate: Validity, policy: { renewBeforeMs: number }, jitterSeed: string): number {
  const { notBefore, notAfter } = certificate;
  const lifetime = notAfter - notBefore;
  const latest = notAfter - Math.min(policy.renewBeforeMs, lifetime / 2);
  return Math.floor(latest - (lifetime / spread) * shareOf(jitterSeed));
}

/** In [0, 1), evenly. */
const shareOf = (seed: string): number =>
  createHash('sha256').update(seed).digest().readUInt32BE(0) / 2 ** 32;
