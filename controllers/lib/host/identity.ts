import { createHash } from 'node:crypto';
import type { Connection } from './connection.ts';
import type { SshEndpoint, Target } from './host.ts';
import { isTrusted, parsePublicKey } from './keys.ts';

/** What a connection was opened as. */
export type Identity = {
  /** Where to, as whom, with which key, through what: a connection serves only targets that agree in all of it. */
  readonly login: string;
  /** What was accepted as the host's key; matters until the key is known. */
  readonly trust: string;
};

export const identityOf = (target: Target): Identity => ({
  login: JSON.stringify([loginOf(target), target.jump && [loginOf(target.jump), trustOf(target.jump)]]),
  trust: trustOf(target),
});

const loginOf = (endpoint: SshEndpoint): unknown[] => [
  endpoint.host,
  endpoint.port,
  endpoint.user,
  createHash('sha256').update(endpoint.privateKey.open()).digest('hex'),
];

const trustOf = (endpoint: SshEndpoint): string =>
  JSON.stringify([endpoint.trustFirstKey, [...endpoint.hostKeys].sort()]);

/**
 * Whether a pooled connection is good for a target. Pins may change under a connection (a first key was just pinned,
 * a second one was added): it serves as long as the key that it saw is trusted.
 */
export function serves(
  entry: { identity: Identity; connection: Connection | null },
  target: Target,
): boolean {
  const wanted = identityOf(target);
  if (entry.identity.login !== wanted.login) return false;
  if (entry.connection === null) return entry.identity.trust === wanted.trust;
  const key = parsePublicKey(entry.connection.hostKey);
  return entry.connection.alive && key !== null && isTrusted(key.blob, target);
}
