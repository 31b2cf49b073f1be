/** The key for tokens of ServiceAccounts and the one for encryption: found in their Secrets, or made. */
import type { Secret } from '../lib/kube/core-kinds.ts';
import type { Issuance } from '../lib/pki/certificate.ts';
import { generateKey, publicKeyOf } from '../lib/pki/keys.ts';
import {
  createEncryptionKey,
  type EncryptionState,
  encryptionData,
  encryptionFingerprint,
  readEncryption,
} from './encryption-secret.ts';
import { createKept, type Keeper, type Layout, readKept } from './kept.ts';
import { assertNew, type Member } from './members.ts';
import { idleRecord } from './record.ts';
import { encryptionSecretName, serviceAccountSecretName } from './secret-names.ts';
import {
  readServiceAccount,
  type ServiceAccountState,
  serviceAccountData,
  serviceAccountFingerprint,
  verifiersOf,
} from './service-account-secret.ts';
import type { Origins } from './shared-files.ts';

export const serviceAccountLayout: Layout<ServiceAccountState> = {
  type: 'Opaque',
  read: readServiceAccount,
  data: serviceAccountData,
};
export const encryptionLayout: Layout<EncryptionState> = {
  type: 'Opaque',
  read: readEncryption,
  data: encryptionData,
};

export type Kept<S> = { secret: Secret; state: S };

/** Throws `ReconcileError` while it is not there, as `ensureAuthority` does. */
export async function ensureServiceAccount(
  keeper: Keeper,
  members: readonly Member[],
): Promise<Kept<ServiceAccountState>> {
  const { metadata, spec, status } = keeper.pki;
  const secretName = serviceAccountSecretName(metadata.name);
  const request = spec.rotate.serviceAccountKey;
  const kept = await readKept(keeper, secretName, serviceAccountLayout, request);
  if (kept) return kept;
  const known = status?.serviceAccount !== undefined;
  assertNew({ name: 'service-account', secretName, known }, members);
  const key = await generateKey(spec.keyAlgorithm);
  const record = idleRecord(request, keeper.now);
  return createKept(keeper, secretName, serviceAccountLayout, { key, next: null, previous: null, record });
}

export async function ensureEncryption(
  keeper: Keeper,
  members: readonly Member[],
  random: Issuance['random'],
): Promise<Kept<EncryptionState>> {
  const { metadata, spec, status } = keeper.pki;
  const secretName = encryptionSecretName(metadata.name);
  const request = spec.rotate.encryptionKey;
  const kept = await readKept(keeper, secretName, encryptionLayout, request);
  if (kept) return kept;
  assertNew({ name: 'encryption', secretName, known: status?.encryption !== undefined }, members);
  const keys = [createEncryptionKey(random)];
  return createKept(keeper, secretName, encryptionLayout, { keys, record: idleRecord(request, keeper.now) });
}

export const expectedServiceAccount = (state: ServiceAccountState): Origins => ({
  'service-account': serviceAccountFingerprint(publicKeyOf(state.key), verifiersOf(state)),
});

export const expectedEncryption = ({ keys, record }: EncryptionState): Origins => ({
  encryption: encryptionFingerprint(keys, record.stage),
});
