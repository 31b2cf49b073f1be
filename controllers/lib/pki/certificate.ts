import { createHash, createPublicKey, sign as signBytes } from 'node:crypto';
import { promisify } from 'node:util';
import type { Sealed } from '../core/sealed.ts';
import { bits, identifier, integer, lastMember, nothing, sequence, set, tagged, time, utf8 } from './der.ts';
import { extensionsOf } from './extensions.ts';
import { signingKey } from './keys.ts';
import { PkiError } from './pki-error.ts';
import { x509 } from './x509.ts';

const signAsync = promisify(signBytes);

/** Key usages by the names that Kubernetes gives them (`certificates.k8s.io/v1`, `KeyUsage`). */
export type KeyUsage =
  | 'digital signature'
  | 'key encipherment'
  | 'cert sign'
  | 'crl sign'
  | 'server auth'
  | 'client auth';

/** When and with which randomness a certificate is made. */
export type Issuance = {
  /** Milliseconds since the epoch. */
  now: number;
  /** As many random bytes as asked for. */
  random: (bytes: number) => Uint8Array;
};

/** Clocks of hosts may be behind the operator's by so much without refusing a new certificate. */
export const skewAllowanceMs = 5 * 60_000;

/** What a certificate says, short of who signs it. Lists may be empty. */
export type Statement = {
  commonName: string;
  /** Kubernetes reads these as groups. */
  organizations: readonly string[];
  dnsNames: readonly string[];
  /** IPv4 and IPv6, without prefix lengths. */
  ipAddresses: readonly string[];
  usages: readonly KeyUsage[];
  /** `null` for a leaf; otherwise how many authorities may follow below (RFC 5280, 4.2.1.9). */
  authority: { pathLength: number | undefined } | null;
  /** PEM of a certificate whose subject and key identifier are taken as they are, instead of the names above. */
  subjectOf?: string;
  /** Milliseconds since the epoch; seconds are what a certificate holds. */
  notBefore: number;
  notAfter: number;
};

/** Who signs: `certificate` is null where a key signs for itself. */
export type Signer = { key: Sealed<string>; certificate: string | null };

/** Signs `statement` for the public key (SPKI PEM). PEM out. Throws `PkiError`. */
export async function sign(
  statement: Statement,
  publicKey: string,
  signer: Signer,
  random: Issuance['random'],
): Promise<string> {
  if (statement.notAfter <= statement.notBefore) {
    throw new PkiError(`the certificate of ${statement.commonName} would end before it begins`);
  }
  const { key, hash, family } = signingKey(signer.key);
  const algorithm = algorithmIdentifiers[`${family} ${hash}`]!;
  const spki = createPublicKey(publicKey).export({ type: 'spki', format: 'der' });
  const like = statement.subjectOf === undefined ? null : partyOf(statement.subjectOf);
  const subject = like?.name ?? nameOf(statement);
  const keyId = like?.keyId ?? keyIdentifier(spki);
  const issuer = signer.certificate === null ? { name: subject, keyId } : partyOf(signer.certificate);
  // RFC 5280, 4.1: the first member is the version, counted from zero.
  const statementToSign = sequence(
    tagged(0xa0, integer(Uint8Array.of(2))),
    integer(serial(random)),
    algorithm,
    issuer.name,
    sequence(time(statement.notBefore), time(statement.notAfter)),
    subject,
    spki,
    tagged(0xa3, extensionsOf(statement, keyId, issuer.keyId)),
  );
  const signature = await signAsync(hash, statementToSign, key);
  return pemOf(sequence(statementToSign, algorithm, bits(signature)));
}

/** RFC 5758, 3.2 and RFC 4055, 5: of RSA with parameters that are null, of ECDSA without. */
const algorithmIdentifiers: Readonly<Record<string, Uint8Array>> = {
  'ec SHA-256': sequence(identifier('1.2.840.10045.4.3.2')),
  'ec SHA-384': sequence(identifier('1.2.840.10045.4.3.3')),
  'rsa SHA-256': sequence(identifier('1.2.840.113549.1.1.11'), nothing),
};

type Party = { name: Uint8Array; keyId: Uint8Array | undefined };

/** What is taken from a certificate that exists, byte by byte: verifiers compare names so. */
function partyOf(pem: string): Party {
  const known = parties.get(pem);
  if (known) return known;
  const certificate = new x509.X509Certificate(pem);
  const keyId = certificate.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId;
  const party = {
    name: new Uint8Array(certificate.subjectName.toArrayBuffer()),
    keyId: keyId === undefined ? undefined : Buffer.from(keyId, 'hex'),
  };
  if (parties.size >= maxParties) parties.clear();
  parties.set(pem, party);
  return party;
}

/** Few authorities sign many leaves, and to read one takes longer than to make a leaf. */
const parties = new Map<string, Party>();
const maxParties = 64;

const [organization, commonName] = [identifier('2.5.4.10'), identifier('2.5.4.3')];

/** Given as a structure and not as text, so that nothing in a value can be read as another attribute. */
function nameOf(statement: Statement): Uint8Array {
  const attribute = (type: Uint8Array, value: string) => set(sequence(type, utf8(value)));
  return sequence(
    ...statement.organizations.map((name) => attribute(organization, name)),
    attribute(commonName, statement.commonName),
  );
}

/** Positive and 126 bits strong (RFC 5280, 4.1.2.2 asks for positive and at most 20 octets). */
function serial(random: Issuance['random']): Uint8Array {
  const bytes = Buffer.from(random(16));
  bytes[0] = (bytes[0]! & 0x3f) | 0x40;
  return bytes;
}

/**
 * RFC 5280, 4.2.1.2, the first method: SHA-1 over the key itself, the BIT STRING at the end of a SubjectPublicKeyInfo
 * without the count of unused bits that it begins with.
 */
const keyIdentifier = (spki: Uint8Array): Uint8Array =>
  createHash('sha1').update(lastMember(spki).subarray(1)).digest();

function pemOf(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
