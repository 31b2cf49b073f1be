import { createHash } from 'node:crypto';
import ssh2 from 'ssh2';
import type { Sealed } from '../core/sealed.ts';

/** An SSH public key: its type as in RFC 4253 section 6.6 and the bytes that fingerprints are made of. */
export type PublicKey = { type: string; blob: Buffer };

/** Reads `ssh-ed25519 AAAA… [comment]`; null for what is not a public key. */
export function parsePublicKey(line: string): PublicKey | null {
  const [type, base64] = line.trim().split(/\s+/);
  if (type === undefined || base64 === undefined || !/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return null;
  const blob = Buffer.from(base64, 'base64');
  return typeOfBlob(blob) === type ? { type, blob } : null;
}

/** As in known_hosts, without the host's name. */
export const formatPublicKey = (blob: Buffer): string => `${typeOfBlob(blob)} ${blob.toString('base64')}`;

/** What `ssh-keygen -l` prints: `SHA256:` and unpadded base64. */
export const fingerprint = (blob: Buffer): string =>
  `SHA256:${createHash('sha256').update(blob).digest('base64').replaceAll('=', '')}`;

/** A key's bytes begin with its type as an SSH string (RFC 4253 section 6.6). */
function typeOfBlob(blob: Buffer): string {
  if (blob.length < 4) return '';
  const length = blob.readUInt32BE(0);
  return length <= 64 ? blob.toString('latin1', 4, 4 + length) : '';
}

/** Signature algorithms by key type, best first. SHA-1 (`ssh-rsa` as an algorithm) is not among them. */
const algorithmsOf: Record<string, readonly string[]> = {
  'ssh-ed25519': ['ssh-ed25519'],
  'ecdsa-sha2-nistp256': ['ecdsa-sha2-nistp256'],
  'ecdsa-sha2-nistp384': ['ecdsa-sha2-nistp384'],
  'ecdsa-sha2-nistp521': ['ecdsa-sha2-nistp521'],
  'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256'],
};

/**
 * What to ask the server for. The types that are pinned come first, and the server takes the first one that it has
 * (RFC 4253 section 7.1): a host with several keys shows the pinned one. The others follow only so that a mismatch
 * can name the key that was seen.
 */
export function hostKeyAlgorithms(pinnedTypes: readonly string[]): string[] {
  const types = [...new Set([...pinnedTypes, ...Object.keys(algorithmsOf)])];
  return types.flatMap((type) => algorithmsOf[type] ?? []);
}

/** Whether a key may be trusted: it is pinned, or nothing is and the first one is to be believed. */
export function isTrusted(
  blob: Buffer,
  endpoint: { hostKeys: readonly string[]; trustFirstKey: boolean },
): boolean {
  if (endpoint.hostKeys.length === 0) return endpoint.trustFirstKey;
  return endpoint.hostKeys.some((line) => parsePublicKey(line)?.blob.equals(blob) === true);
}

/** The public half of a private key; null where it cannot be read, `encrypted` where a passphrase would be needed. */
export function readPrivateKey(key: Sealed<string>): PublicKey | 'encrypted' | null {
  const parsed = ssh2.utils.parseKey(key.open());
  if (parsed instanceof Error) return /encrypted/i.test(parsed.message) ? 'encrypted' : null;
  const first = Array.isArray(parsed) ? parsed[0] : parsed;
  if (first === undefined || !first.isPrivateKey()) return null;
  return { type: first.type, blob: Buffer.from(first.getPublicSSH()) };
}
