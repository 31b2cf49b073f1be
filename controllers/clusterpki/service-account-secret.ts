/** The key that signs tokens of ServiceAccounts, as its Secret has it. */
import { createHash, createPublicKey } from 'node:crypto';
import { Sealed } from '../lib/core/sealed.ts';
import type { Secret } from '../lib/kube/core-kinds.ts';
import { publicKeyOf } from '../lib/pki/keys.ts';
import { PkiError } from '../lib/pki/pki-error.ts';
import { parseRecord, printRecord, type RotationRecord, recordKey, type Stage } from './record.ts';
import { textIn } from './secret-names.ts';

export type ServiceAccountState = {
  /** Signs (PEM, PKCS#8). */
  key: Sealed<string>;
  next: Sealed<string> | null;
  previous: Sealed<string> | null;
  record: RotationRecord;
};

export const serviceAccountStages = ['Distribute', 'Reissue', 'Retire', 'Abort'] as const satisfies Stage[];

/** Public keys (SPKI PEM) that verify, each once and in order; turned in Abort, for the reason that `trustOf` has. */
export function verifiersOf({ key, next, previous, record }: ServiceAccountState): string[] {
  const all = [key, next, previous].flatMap((one) => (one === null ? [] : publicKeyOf(one)));
  const sorted = [...new Set(all)].sort();
  return record.stage === 'Abort' ? sorted.reverse() : sorted;
}

/** SHA-256 of a public key's DER encoding, in hex. */
export const keyFingerprint = (publicKey: string): string =>
  createHash('sha256')
    .update(createPublicKey(publicKey).export({ type: 'spki', format: 'der' }))
    .digest('hex');

/** What tells one list of keys from another: who signs, and who verifies. SHA-256, hex. */
export function serviceAccountFingerprint(signing: string, verifying: readonly string[]): string {
  const all = [signing, ...verifying].map(keyFingerprint);
  return createHash('sha256').update(all.join('\n')).digest('hex');
}

export function serviceAccountData(state: ServiceAccountState): Record<string, Sealed<string>> {
  const { key, next, previous, record } = state;
  return {
    'sa.key': key,
    'sa.pub': new Sealed(verifiersOf(state).join('')),
    ...(next && { 'next.key': next }),
    ...(previous && { 'previous.key': previous }),
    [recordKey]: new Sealed(printRecord(record)),
  };
}

/** Throws `PkiError`. `publicKeys` is `sa.pub`: key by key, that of `sa.key` among them. */
export function readServiceAccount(secret: Pick<Secret, 'data'>): Omit<ServiceAccountState, 'record'> & {
  publicKeys: string[];
  record: RotationRecord | null;
} {
  const optional = (name: string) => {
    const text = textIn(secret, name);
    return text === undefined ? null : new Sealed(text);
  };
  const key = new Sealed(textIn(secret, 'sa.key') ?? '');
  const own = publicKeyOf(key);
  const blocks = /-----BEGIN PUBLIC KEY-----[^-]*-----END PUBLIC KEY-----/g;
  const listed = (textIn(secret, 'sa.pub')?.match(blocks) ?? []).map(canonical);
  return {
    key,
    next: optional('next.key'),
    previous: optional('previous.key'),
    publicKeys: listed.includes(own) ? listed : [own, ...listed],
    record: parseRecord(textIn(secret, recordKey), serviceAccountStages),
  };
}

function canonical(pem: string): string {
  try {
    return createPublicKey(pem).export({ type: 'spki', format: 'pem' }) as string;
  } catch (cause) {
    throw new PkiError('sa.pub has something else than public keys in PEM', { cause });
  }
}
