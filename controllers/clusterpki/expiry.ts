/** What ends when, and what to say about it. Pure. */
import type { NixNode } from '../../crds/index.ts';
import { ReconcileError } from '../lib/core/outcome.ts';
import { several } from '../lib/core/several.ts';

/** `at` in milliseconds since the epoch. */
export type Ending = { what: string; at: number };
export type NodeEnding = Ending & { node: string };

/** The first certificate of each node to end, as far as it is known. */
export const endingsOf = (nodes: readonly NixNode[]): NodeEnding[] =>
  nodes.flatMap(({ metadata, status }) => {
    const { nextExpiry, nextExpiring } = status?.pki ?? {};
    if (nextExpiry === undefined) return [];
    const what = `${metadata.name} ${nextExpiring ?? ''}`.trim().slice(0, 1280);
    return [{ node: metadata.name, what, at: Date.parse(nextExpiry) }];
  });

/** The one that ends first; of equal ones the first by name, so that the same input says the same. */
export const firstOf = (endings: readonly Ending[]): Ending | undefined =>
  [...endings].sort((a, b) => a.at - b.at || (a.what < b.what ? -1 : 1))[0];

const [hour, day] = [3_600_000, 86_400_000];

/** `89d`; in hours below two days. A column of type date would show the future as invalid. */
export function timeLeft(at: number, now: number): string {
  const left = at - now;
  if (left <= 0) return 'expired';
  if (left < hour) return '<1h';
  return left < 2 * day ? `${Math.floor(left / hour)}h` : `${Math.floor(left / day)}d`;
}

/** Throws where a certificate is over, or where renewal is so late that somebody should look after it. */
export function checkCertificates(
  endings: readonly NodeEnding[],
  policy: { renewBeforeMs: number },
  now: number,
): void {
  const over = endings.filter(({ at }) => at <= now);
  if (over.length > 0) {
    const message = `certificates are over: ${several(over.map(({ what }) => what))}; they are renewed as soon as the operator reaches the host: look at its NixNode`;
    throw new ReconcileError('waiting', 'CertificateExpired', message);
  }
  const late = endings.filter(({ at }) => at - now < policy.renewBeforeMs / 2);
  if (late.length > 0) {
    const words = late.map(({ what, at }) => `${what} in ${timeLeft(at, now)}`);
    const message = `certificates end soon and should have been renewed: ${several(words)}; look at the NixNode`;
    throw new ReconcileError('waiting', 'CertificateOverdue', message);
  }
}

/** Throws where an authority is over: everything that it signed is, too. */
export function checkAuthorities(endings: readonly Ending[], now: number): void {
  const over = endings.filter(({ at }) => at <= now);
  if (over.length === 0) return;
  const message = `over: ${several(over.map(({ what }) => what))}; replace them with a new value of spec.rotate.authority`;
  throw new ReconcileError('terminal', 'AuthorityExpired', message);
}
