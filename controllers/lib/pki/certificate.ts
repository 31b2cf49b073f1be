import { createPublicKey } from 'node:crypto';
import type { Sealed } from '../core/sealed.ts';
import { canonicalAddress } from './ip-address.ts';
import { signingKey } from './keys.ts';
import { PkiError } from './pki-error.ts';
import { x509 } from './x509.ts';

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
  const spki = createPublicKey(publicKey).export({ type: 'spki', format: 'der' });
  const { key, hash } = signingKey(signer.key);
  const like = statement.subjectOf === undefined ? null : new x509.X509Certificate(statement.subjectOf);
  const subject = like?.subjectName ?? nameOf(statement);
  const own = like?.getExtension(x509.SubjectKeyIdentifierExtension) ?? (await keyIdentifier(spki));
  const issuer = issuerOf(signer) ?? { name: subject, keyId: own.keyId };
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial(random),
    subject,
    issuer: issuer.name,
    notBefore: wholeSeconds(statement.notBefore),
    notAfter: wholeSeconds(statement.notAfter),
    publicKey: spki,
    signingKey: key,
    signingAlgorithm: { name: key.algorithm.name, hash },
    extensions: extensionsOf(statement, own, issuer.keyId),
  });
  return `${certificate.toString('pem')}\n`;
}

type Issuer = { name: x509.Name; keyId: string | undefined };

/** To read an authority takes as long as to make a leaf, and few of them sign many: read once, as long as it is used. */
const issuers = new WeakMap<Signer, Issuer>();

/** Null where a key signs for itself. */
function issuerOf(signer: Signer): Issuer | null {
  if (signer.certificate === null) return null;
  const known = issuers.get(signer);
  if (known) return known;
  const certificate = new x509.X509Certificate(signer.certificate);
  const keyId = certificate.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId;
  const issuer = { name: certificate.subjectName, keyId };
  issuers.set(signer, issuer);
  return issuer;
}

/** Given as a structure and not as text, so that nothing in a value can be read as another attribute. */
function nameOf(statement: Statement): x509.Name {
  const organizations = statement.organizations.map((name) => ({ O: [{ utf8String: name }] }));
  return new x509.Name([...organizations, { CN: [{ utf8String: statement.commonName }] }]);
}

/** Positive and 126 bits strong (RFC 5280, 4.1.2.2 asks for positive and at most 20 octets). */
function serial(random: Issuance['random']): string {
  const bytes = Buffer.from(random(16));
  bytes[0] = (bytes[0]! & 0x3f) | 0x40;
  return bytes.toString('hex');
}

const wholeSeconds = (ms: number): Date => new Date(Math.floor(ms / 1000) * 1000);

const keyUsageFlags: Partial<Record<KeyUsage, number>> = {
  'digital signature': x509.KeyUsageFlags.digitalSignature,
  'key encipherment': x509.KeyUsageFlags.keyEncipherment,
  'cert sign': x509.KeyUsageFlags.keyCertSign,
  'crl sign': x509.KeyUsageFlags.cRLSign,
};
const extendedUsages: Partial<Record<KeyUsage, string>> = {
  'server auth': x509.ExtendedKeyUsage.serverAuth,
  'client auth': x509.ExtendedKeyUsage.clientAuth,
};

const keyIdentifier = (spki: Uint8Array): Promise<x509.SubjectKeyIdentifierExtension> =>
  x509.SubjectKeyIdentifierExtension.create(new x509.PublicKey(new Uint8Array(spki)));

function extensionsOf(
  statement: Statement,
  own: x509.SubjectKeyIdentifierExtension,
  above: string | undefined,
): x509.Extension[] {
  const names = [
    ...statement.dnsNames.map((value) => ({ type: 'dns' as const, value })),
    ...statement.ipAddresses.map((value) => ({ type: 'ip' as const, value: canonicalAddress(value) })),
  ];
  const extended = statement.usages.flatMap((usage) => extendedUsages[usage] ?? []);
  const flags = statement.usages.reduce((all, usage) => all | (keyUsageFlags[usage] ?? 0), 0);
  return [
    new x509.BasicConstraintsExtension(statement.authority !== null, statement.authority?.pathLength, true),
    new x509.KeyUsagesExtension(flags, true),
    own,
    // An authority made elsewhere may have no identifier of its own; then there is nothing to point to.
    ...(above === undefined ? [] : [new x509.AuthorityKeyIdentifierExtension(above)]),
    ...(extended.length === 0 ? [] : [new x509.ExtendedKeyUsageExtension(extended)]),
    ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)]),
  ];
}
