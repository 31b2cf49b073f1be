import type { Sealed } from '../core/sealed.ts';
import { type Authority, endOf } from './authority.ts';
import { type Issuance, type KeyUsage, sign, skewAllowanceMs } from './certificate.ts';
import { generateKey, type KeyAlgorithm, publicKeyOf } from './keys.ts';
import { PkiError } from './pki-error.ts';

/** Whom a certificate is for and what it may be used for. */
export type LeafSpec = {
  commonName: string;
  /** Kubernetes reads these as groups. */
  organizations?: readonly string[];
  dnsNames?: readonly string[];
  /** IPv4 and IPv6, without prefix lengths. */
  ipAddresses?: readonly string[];
  /** Which ends of TLS it serves: both for peers of etcd. */
  ends: readonly ('server auth' | 'client auth')[];
  algorithm: KeyAlgorithm;
  lifetimeMs: number;
};

export type KeyedCertificate = {
  /** PEM: the leaf, and behind it what leads to the root. */
  readonly certificate: string;
  readonly key: Sealed<string>;
};

/** A new key and a certificate for it, which ends no later than its authority. Throws `PkiError` where that has ended. */
export async function issueLeaf(
  authority: Authority,
  spec: LeafSpec,
  issuance: Issuance,
): Promise<KeyedCertificate> {
  const key = await generateKey(spec.algorithm);
  const certificate = await certify(authority, spec, publicKeyOf(key), issuance);
  return { certificate, key };
}

/** As `issueLeaf`, for a key that stays where it is: `publicKey` is SubjectPublicKeyInfo PEM. */
export async function certify(
  authority: Authority,
  spec: LeafSpec,
  publicKey: string,
  issuance: Issuance,
): Promise<string> {
  const end = endOf(authority);
  // It would be no good to anybody, and whoever replaces what has ended would make one after the other.
  if (end <= issuance.now) throw new PkiError('the authority that is to sign it has ended');
  const statement = {
    commonName: spec.commonName,
    organizations: spec.organizations ?? [],
    dnsNames: spec.dnsNames ?? [],
    ipAddresses: spec.ipAddresses ?? [],
    usages: [...baseUsages(spec.algorithm), ...spec.ends],
    authority: null,
    notBefore: issuance.now - skewAllowanceMs,
    notAfter: Math.min(issuance.now + spec.lifetimeMs, end),
  };
  return (await sign(statement, publicKey, authority, issuance.random)) + authority.chain;
}

/** Only RSA can encipher a key; RFC 8813 forbids to claim it for ECDSA. */
const baseUsages = (algorithm: KeyAlgorithm): readonly KeyUsage[] =>
  algorithm.startsWith('RSA') ? ['digital signature', 'key encipherment'] : ['digital signature'];
