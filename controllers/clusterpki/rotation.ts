/** What a stage of a rotation means for what is rotated. Pure; the new key or authority comes as an argument. */

import type { Sealed } from '../lib/core/sealed.ts';
import { type Authority, authorityText } from '../lib/pki/authority.ts';
import { publicKeyOf } from '../lib/pki/keys.ts';
import { splitPem } from '../lib/pki/pem.ts';
import { x509 } from '../lib/pki/x509.ts';
import type { AuthorityState } from './authority-secret.ts';
import type { EncryptionKey, EncryptionState } from './encryption-secret.ts';
import type { RotationRecord } from './record.ts';
import type { ServiceAccountState } from './service-account-secret.ts';

/** `newer` is used at the beginning; its chain ends with what the old authority says for it, if that could be had. */
export function authorityAt(
  state: AuthorityState,
  record: RotationRecord,
  newer: Authority | null,
): AuthorityState {
  const { signer, next, previous } = state;
  switch (record.stage) {
    case 'Distribute':
      return { ...state, record, next: must(newer) };
    case 'Reissue':
      return { ...state, record, signer: must(next), next: null, previous: signer };
    case 'Abort':
      return { ...state, record, signer: must(previous), next: signer, previous: null };
    default:
      return { ...state, record, signer: alone(signer), next: null, previous: null };
  }
}

/** Without what another authority says for it: nobody needs that any more. */
export function alone(authority: Authority): Authority {
  const [own = '', ...behind] = splitPem(authorityText(authority));
  const spki = publicKeyOf(authority.key);
  const kept = behind.filter(
    (pem) => new x509.X509Certificate(pem).publicKey.toString('pem').trim() !== spki.trim(),
  );
  const parsed = new x509.X509Certificate(own);
  const root = parsed.subject === parsed.issuer;
  return { ...authority, chain: (root ? '' : own) + kept.join('') };
}

/** Whether leaves of `next` lead those to something that they trust who know the present authority alone. */
export const isVouchedFor = ({ certificate, chain, key }: Authority): boolean =>
  alone({ certificate, chain, key }).chain !== chain;

export function serviceAccountAt(
  state: ServiceAccountState,
  record: RotationRecord,
  newer: Sealed<string> | null,
): ServiceAccountState {
  const { key, next, previous } = state;
  switch (record.stage) {
    case 'Distribute':
      return { ...state, record, next: must(newer) };
    case 'Reissue':
      return { record, key: must(next), next: null, previous: key };
    case 'Abort':
      return { record, key: must(previous), next: key, previous: null };
    default:
      return { record, key, next: null, previous: null };
  }
}

export function encryptionAt(
  state: EncryptionState,
  record: RotationRecord,
  newer: EncryptionKey | null,
): EncryptionState {
  const { keys } = state;
  switch (record.stage) {
    case 'Add':
      return { record, keys: [...keys, must(newer)] };
    case 'Promote':
    case 'Abort':
      return { record, keys: [...keys].reverse() };
    case 'Rewrite':
      return { record, keys };
    default:
      return { record, keys: keys.slice(0, 1) };
  }
}

function must<T>(value: T | null): T {
  if (value === null) throw new Error('a stage of a rotation lacks what it is about');
  return value;
}
