/** What the status says of keys and certificates. Pure; it has names, dates and fingerprints. */
import type { ClusterPKIStatus, NixNode } from '../../crds/index.ts';
import { timestamp } from '../lib/core/timestamp.ts';
import { endOf } from '../lib/pki/authority.ts';
import { fingerprintOf } from '../lib/pki/inspect.ts';
import { publicKeyOf } from '../lib/pki/keys.ts';
import type { KeptAuthority } from './authorities.ts';
import type { EncryptionState } from './encryption-secret.ts';
import { type Ending, firstOf, timeLeft } from './expiry.ts';
import type { Kept } from './keys.ts';
import { keyFingerprint, type ServiceAccountState } from './service-account-secret.ts';

type Fields = Omit<ClusterPKIStatus, 'conditions' | 'observedGeneration' | 'summary'>;

export const authorityFields = (kept: readonly KeptAuthority[]): Fields => ({
  authorities: kept.map(({ name, secret, state, imported }) => ({
    name,
    secretName: secret.metadata.name,
    fingerprint: fingerprintOf(state.signer.certificate),
    notAfter: timestamp(endOf(state.signer)),
    ...(imported &&
      fingerprintOf(imported.certificate) === fingerprintOf(state.signer.certificate) && { imported: true }),
  })),
  authorityCount: kept.length,
});

export const serviceAccountFields = ({ secret, state }: Kept<ServiceAccountState>): Fields => ({
  serviceAccount: {
    secretName: secret.metadata.name,
    fingerprint: keyFingerprint(publicKeyOf(state.key)),
  },
});

export const encryptionFields = ({ secret, state }: Kept<EncryptionState>): Fields => ({
  encryption: { secretName: secret.metadata.name, keyName: state.keys[0]!.name },
});

export function expiryFields(
  endings: readonly Ending[],
  nodes: readonly NixNode[],
  now: number,
): Record<'certificates' | 'nextExpiry' | 'nextExpiring' | 'nextExpiryIn', string | number | undefined> &
  Fields {
  const first = firstOf(endings);
  return {
    certificates: nodes.reduce((sum, { status }) => sum + (status?.pki?.certificates ?? 0), 0),
    nextExpiry: first && timestamp(first.at),
    nextExpiring: first?.what,
    nextExpiryIn: first && timeLeft(first.at, now),
  };
}
