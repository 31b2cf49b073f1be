/** What certificates and keys of a cluster are made of. Pure: Secrets in, checked values out. */
import { ReconcileError } from '../lib/core/outcome.ts';
import type { Sealed } from '../lib/core/sealed.ts';
import type { Secret } from '../lib/kube/core-kinds.ts';
import { type Authority, endOf } from '../lib/pki/authority.ts';
import { fingerprintOf } from '../lib/pki/inspect.ts';
import { publicKeyOf } from '../lib/pki/keys.ts';
import { PkiError } from '../lib/pki/pki-error.ts';
import { readSigner, trustFingerprint } from './authority-secret.ts';
import { encryptionFingerprint, readEncryption } from './encryption-secret.ts';
import type { AuthorityName } from './policies/policy.ts';
import { readServiceAccount, serviceAccountFingerprint } from './service-account-secret.ts';

export type AuthorityMaterial = {
  signer: Authority;
  /** SHA-256 of the certificate that signs, in hex. */
  fingerprint: string;
  /** PEM of all authorities that are trusted now. */
  trust: string;
  trustFingerprint: string;
  /** Milliseconds since the epoch, after which nothing that it signed is valid. */
  notAfter: number;
};

export type Material = {
  authorities: Record<AuthorityName, AuthorityMaterial>;
  /** `publicKeys`: PEM of all that verify. */
  serviceAccount: { key: Sealed<string>; publicKeys: string; fingerprint: string };
  /** `config`: an EncryptionConfiguration. */
  encryption: { config: Sealed<string>; fingerprint: string };
};

export type MaterialSecrets = Record<
  'cluster' | 'etcd' | 'frontProxy' | 'serviceAccount' | 'encryption',
  Secret
>;

/** Throws `ReconcileError` where a Secret does not hold what it is for; it names the Secret, never its content. */
export function materialOf(secrets: MaterialSecrets): Material {
  return {
    authorities: {
      cluster: authorityMaterial(secrets.cluster),
      etcd: authorityMaterial(secrets.etcd),
      'front-proxy': authorityMaterial(secrets.frontProxy),
    },
    serviceAccount: understood(secrets.serviceAccount, (secret) => {
      const { key, publicKeys } = readServiceAccount(secret);
      const fingerprint = serviceAccountFingerprint(publicKeyOf(key), publicKeys);
      return { key, publicKeys: publicKeys.join(''), fingerprint };
    }),
    encryption: understood(secrets.encryption, (secret) => {
      const { config, keys, record } = readEncryption(secret);
      return { config, fingerprint: encryptionFingerprint(keys, record?.stage) };
    }),
  };
}

/** Each visit to each node of a cluster asks for it; an object in the cache never changes. */
const known = new WeakMap<Secret, AuthorityMaterial>();

/** One of them alone. Throws as `materialOf`. */
export function authorityMaterial(secret: Secret): AuthorityMaterial {
  const found = known.get(secret) ?? understood(secret, authorityIn);
  known.set(secret, found);
  return found;
}

function authorityIn(secret: Secret): AuthorityMaterial {
  const { signer, trust } = readSigner(secret);
  return {
    signer,
    fingerprint: fingerprintOf(signer.certificate),
    trust: trust.join(''),
    trustFingerprint: trustFingerprint(trust),
    notAfter: endOf(signer),
  };
}

/** Runs a reader of a Secret; what it cannot read stalls whoever needs it. */
export function understood<T>(secret: Secret, read: (secret: Secret) => T): T {
  try {
    return read(secret);
  } catch (error) {
    if (!(error instanceof PkiError)) throw error;
    const message = `Secret ${secret.metadata.name} is not usable: ${error.message}; put the former content back from a backup`;
    throw new ReconcileError('terminal', 'PkiSecretUnusable', message);
  }
}
