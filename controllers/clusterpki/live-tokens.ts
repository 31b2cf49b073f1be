/** Which tokens of a running cluster the former key has signed. Pure. */
import { createHash, createPublicKey } from 'node:crypto';
import { several } from '../lib/core/several.ts';
import { timestamp } from '../lib/core/timestamp.ts';
import { askedAgainMs, isOver, nameOf, type Pod, timeOf, tokenLifetimes } from './live-pods.ts';
import type { Gate } from './machine.ts';

/** A Secret of type kubernetes.io/service-account-token: a token without an end, made by the controller manager. */
export type LegacyToken = { namespace: string; name: string; keyId: string | undefined };

/** As Kubernetes names a key in what it signs: SHA-256 of its DER encoding (serviceaccount/jwt.go of upstream). */
export const keyIdOf = (publicKey: string): string =>
  createHash('sha256')
    .update(createPublicKey(publicKey).export({ type: 'spki', format: 'der' }))
    .digest('base64url');

/** Of a token's header; nothing else of it is looked at. */
export function keyIdIn(token: string): string | undefined {
  try {
    const header: unknown = JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString('utf8'));
    const { kid } = header as { kid?: unknown };
    return typeof kid === 'string' ? kid : undefined;
  } catch {
    return undefined;
  }
}

/** Kubelets renew a token when four fifths of its time are over, or after a day; a client reads it within some minutes. */
const renewedAfterMs = (seconds: number): number => Math.min(seconds * 800, 86_400_000) + 600_000;

/** Open when nothing is left that a key other than `signing` has signed. `since`: when that began to sign. */
export function tokensGate(
  signing: string,
  since: number,
  now: number,
  { secrets, pods }: { secrets: readonly LegacyToken[]; pods: readonly Pod[] },
): Gate {
  const keyId = keyIdOf(signing);
  const legacy = secrets.filter((secret) => secret.keyId !== undefined && secret.keyId !== keyId);
  if (legacy.length > 0) {
    const names = several(legacy.map(({ namespace, name }) => `${namespace}/${name}`).sort());
    return {
      open: false,
      waitsFor: `tokens in ${legacy.length} Secrets that the former key has signed: ${names}; remove data.token of each, and Kubernetes signs another, which then goes to whoever uses it; or delete those that nobody uses`,
      recheckMs: askedAgainMs,
    };
  }
  const ends = pods
    .filter((pod) => !isOver(pod) && timeOf(pod.metadata?.creationTimestamp) <= since)
    .flatMap((pod) => tokenLifetimes(pod).map((seconds) => ({ pod, at: since + renewedAfterMs(seconds) })))
    .filter(({ at }) => at > now);
  if (ends.length === 0) return { open: true };
  const last = timestamp(Math.max(...ends.map(({ at }) => at)));
  const names = several([...new Set(ends.map(({ pod }) => nameOf(pod)))].sort());
  return {
    open: false,
    waitsFor: `kubelets to renew the tokens of pods by ${last}: ${names}; pods that are restarted have new ones at once`,
    recheckMs: askedAgainMs,
  };
}
