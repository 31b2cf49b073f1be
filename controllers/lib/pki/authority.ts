import { X509Certificate } from 'node:crypto';
import type { Sealed } from '../core/sealed.ts';
import { type Issuance, sign, skewAllowanceMs } from './certificate.ts';
import { validityOf } from './inspect.ts';
import { generateKey, type KeyAlgorithm, publicKeyOf } from './keys.ts';
import { splitPem } from './pem.ts';
import { PkiError } from './pki-error.ts';

/** Who signs certificates: one of its own, and the key that goes with it. */
export type Authority = {
  /** PEM, one certificate. */
  readonly certificate: string;
  /**
   * PEM: what must be served behind a leaf so that it leads to what clients trust. Empty below a root, but for
   * certificates by which an older authority vouches for it.
   */
  readonly chain: string;
  readonly key: Sealed<string>;
};

export type AuthoritySpec = {
  commonName: string;
  algorithm: KeyAlgorithm;
  lifetimeMs: number;
  /** How many authorities may follow below; `undefined` sets no limit. */
  pathLength?: number;
};

/** A root that signs itself. */
export async function createAuthority(spec: AuthoritySpec, issuance: Issuance): Promise<Authority> {
  const key = await generateKey(spec.algorithm);
  const statement = statementOf(spec, issuance.now, Number.POSITIVE_INFINITY);
  const certificate = await sign(statement, publicKeyOf(key), { key, certificate: null }, issuance.random);
  return { certificate, chain: '', key };
}

/** An authority below another one; it ends no later than its parent. */
export async function createIntermediate(
  parent: Authority,
  spec: AuthoritySpec,
  issuance: Issuance,
): Promise<Authority> {
  const key = await generateKey(spec.algorithm);
  const statement = statementOf(spec, issuance.now, endOf(parent));
  const certificate = await sign(statement, publicKeyOf(key), parent, issuance.random);
  return { certificate, chain: certificate + parent.chain, key };
}

/**
 * An authority that exists: its certificate (behind it intermediates, or what vouches for it) and its key. Throws
 * `PkiError` where the two do not belong together or where it may not sign.
 */
export function parseAuthority(certificates: string, key: Sealed<string>): Authority {
  const [own, ...behind] = splitPem(certificates);
  if (own === undefined) throw new PkiError('no certificate in PEM found');
  const parsed = new X509Certificate(own);
  if (!parsed.ca) throw new PkiError('the certificate is not an authority (basicConstraints CA is not set)');
  const ownPublic = parsed.publicKey.export({ type: 'spki', format: 'pem' });
  if (ownPublic !== publicKeyOf(key)) throw new PkiError('the key does not belong to the certificate');
  const selfSigned = parsed.subject === parsed.issuer;
  return { certificate: own, chain: (selfSigned ? '' : own) + behind.join(''), key };
}

/** What `parseAuthority` reads: the certificate, and what is served behind it. */
export const authorityText = ({ certificate, chain }: Authority): string =>
  chain.startsWith(certificate) ? chain : certificate + chain;

/** Milliseconds since the epoch after which nothing below the authority is valid. */
export const endOf = (authority: Authority): number => validityOf(authority.certificate).notAfter;

function statementOf(spec: AuthoritySpec, now: number, latest: number) {
  return {
    commonName: spec.commonName,
    organizations: [],
    dnsNames: [],
    ipAddresses: [],
    usages: ['digital signature', 'cert sign', 'crl sign'] as const,
    authority: { pathLength: spec.pathLength },
    notBefore: now - skewAllowanceMs,
    notAfter: Math.min(now + spec.lifetimeMs, latest),
  };
}
