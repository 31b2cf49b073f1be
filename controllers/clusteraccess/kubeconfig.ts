/** A kubeconfig as it is and as it should be. Pure, but for the randomness of a new key. */
import { X509Certificate } from 'node:crypto';
import { parse } from 'yaml';
import type { AuthorityMaterial } from '../clusterpki/material.ts';
import { Sealed } from '../lib/core/sealed.ts';
import { type Issuance, skewAllowanceMs } from '../lib/pki/certificate.ts';
import { validityOf } from '../lib/pki/inspect.ts';
import { type KeyAlgorithm, publicKeyOf } from '../lib/pki/keys.ts';
import { kubeconfigText } from '../lib/pki/kubeconfig.ts';
import { issueLeaf, type KeyedCertificate } from '../lib/pki/leaf.ts';
import { splitPem } from '../lib/pki/pem.ts';
import { x509 } from '../lib/pki/x509.ts';

export type Wanted = {
  /** Names cluster, user and context: `ops@demo`. */
  name: string;
  server: string;
  user: string;
  groups: readonly string[];
  lifetimeMs: number;
  algorithm: KeyAlgorithm;
  authority: AuthorityMaterial;
};

export type Judged =
  /** Certificate and key stay; `text` is what the Secret should hold. */
  | { act: 'keep'; credential: KeyedCertificate; text: Sealed<string> }
  /** `because` is read by users. */
  | { act: 'issue'; because: string };

/** What to do about a kubeconfig that is there. `text` is what the Secret holds. */
export function judge(text: Sealed<string>, wanted: Wanted, now: number): Judged {
  const held = credentialIn(text);
  const because = held === null ? 'it held no certificate with its key' : flawOf(held, wanted, now);
  if (held === null || because !== null) return { act: 'issue', because: because! };
  // Whatever was served behind it before: what leads to those that are trusted now.
  const credential = { ...held, certificate: held.certificate + wanted.authority.signer.chain };
  return { act: 'keep', credential, text: textOf(wanted, credential) };
}

/** Throws `PkiError` where the authority has ended. */
export function issue(wanted: Wanted, issuance: Issuance): Promise<KeyedCertificate> {
  const { user, groups, algorithm, lifetimeMs, authority } = wanted;
  const spec = { commonName: user, organizations: groups, ends: ['client auth'] as const };
  return issueLeaf(authority.signer, { ...spec, algorithm, lifetimeMs }, issuance);
}

export const textOf = ({ name, server, authority }: Wanted, credential: KeyedCertificate): Sealed<string> =>
  kubeconfigText({ name, server, authorities: authority.trust, user: name, credential });

type Config = { users?: { user?: Record<string, unknown> }[] } | null;

/** The leaf alone, and its key; null where they are not there, or do not belong together. */
function credentialIn(text: Sealed<string>): KeyedCertificate | null {
  try {
    const config = parse(text.open(), { maxAliasCount: 0 }) as Config;
    const user = config?.users?.[0]?.user ?? {};
    const [certificate = ''] = splitPem(decoded(user['client-certificate-data']));
    const key = new Sealed(decoded(user['client-key-data']));
    const own = new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'pem' });
    return own === publicKeyOf(key) ? { certificate, key } : null;
  } catch {
    // Whatever it is, it is not what was written there.
    return null;
  }
}

const decoded = (base64: unknown): string => Buffer.from(String(base64 ?? ''), 'base64').toString('utf8');

function flawOf({ certificate }: KeyedCertificate, wanted: Wanted, now: number): string | null {
  const read = new X509Certificate(certificate);
  const signer = new X509Certificate(wanted.authority.signer.certificate);
  if (!read.checkIssued(signer) || !read.verify(signer.publicKey)) return 'the authority is another one';
  const subject = new x509.X509Certificate(certificate).subjectName;
  const same = (field: string, values: readonly string[]) =>
    JSON.stringify([...subject.getField(field)].sort()) === JSON.stringify([...values].sort());
  if (!same('CN', [wanted.user]) || !same('O', wanted.groups)) return 'user or groups are others';
  const { notBefore, notAfter } = validityOf(certificate);
  const end = Math.min(notBefore + skewAllowanceMs + wanted.lifetimeMs, wanted.authority.notAfter);
  if (Math.abs(end - notAfter) > toleranceMs) return 'the lifetime is another one';
  if (notBefore > now) return 'it begins in the future';
  return now >= renewalOf(certificate, wanted.authority) ? 'two thirds of its life are over' : null;
}

/** A certificate has whole seconds. */
const toleranceMs = 2_000;

/**
 * When a new one is made, in milliseconds since the epoch: after two thirds of its life. One that ends with its authority
 * is as long as it can be, and only a rotation helps.
 */
export function renewalOf(
  certificate: string,
  { notAfter: end }: Pick<AuthorityMaterial, 'notAfter'>,
): number {
  const { notBefore, notAfter } = validityOf(certificate);
  return endsWith(notAfter, end) ? notAfter : notBefore + ((notAfter - notBefore) * 2) / 3;
}

export const endsWith = (notAfter: number, authorityEnd: number): boolean =>
  Math.abs(authorityEnd - notAfter) <= toleranceMs;
