/** What we sign is, byte by byte, what @peculiar/x509 would sign. */
import { createPublicKey, type webcrypto } from 'node:crypto';
import fc from 'fast-check';
import { createAuthority } from '../../../controllers/lib/pki/authority.ts';
import { type KeyUsage, type Statement, sign } from '../../../controllers/lib/pki/certificate.ts';
import { canonicalAddress } from '../../../controllers/lib/pki/ip-address.ts';
import { generateKey, keyAlgorithms, publicKeyOf } from '../../../controllers/lib/pki/keys.ts';
import { x509 } from '../../../controllers/lib/pki/x509.ts';

const now = Date.UTC(2026, 10, 21);
const year = 365 * 86_400_000;
const random = (bytes: number): Uint8Array => new Uint8Array(bytes).fill(0x47);

const name = fc.string({ minLength: 1, maxLength: 200, unit: 'grapheme' });
const usages: KeyUsage[] = [
  'digital signature',
  'key encipherment',
  'cert sign',
  'crl sign',
  'server auth',
  'client auth',
];
const flags = [
  x509.KeyUsageFlags.digitalSignature,
  x509.KeyUsageFlags.keyEncipherment,
  x509.KeyUsageFlags.keyCertSign,
  x509.KeyUsageFlags.cRLSign,
];
const extended = [x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth];

const statement: fc.Arbitrary<Statement> = fc.record({
  commonName: name,
  organizations: fc.array(name, { maxLength: 3 }),
  dnsNames: fc.array(fc.stringMatching(/^[a-z0-9]{1,60}(\.[a-z]{2,8}){0,3}$/), { maxLength: 12 }),
  ipAddresses: fc.array(fc.oneof(fc.ipV4(), fc.ipV6()), { maxLength: 4 }),
  usages: fc.subarray(usages).filter((all) => all.some((usage) => usages.indexOf(usage) < 4)),
  authority: fc.oneof(
    fc.constant(null),
    fc.record({ pathLength: fc.oneof(fc.constant(undefined), fc.integer({ min: 0, max: 127 })) }),
  ),
  notBefore: fc.integer({ min: now - 50 * year, max: now }),
  notAfter: fc.integer({ min: now + 1000, max: now + 100 * year }),
});

const whole = (ms: number) => new Date(Math.floor(ms / 1000) * 1000);

/** The first member of a certificate: what is signed. */
const signedPart = (certificate: x509.X509Certificate): string =>
  Buffer.from((certificate as unknown as { tbs: ArrayBuffer }).tbs).toString('hex');

async function byLibrary(
  said: Statement,
  spki: Uint8Array,
  issuer: x509.X509Certificate,
  keys: webcrypto.CryptoKeyPair,
) {
  const names = [
    ...said.dnsNames.map((value) => ({ type: 'dns' as const, value })),
    ...said.ipAddresses.map((value) => ({ type: 'ip' as const, value: canonicalAddress(value) })),
  ];
  const has = (usage: KeyUsage) => said.usages.includes(usage);
  const purposes = extended.filter((_, at) => has(usages[4 + at]!));
  return x509.X509CertificateGenerator.create({
    serialNumber: Buffer.from(random(16)).toString('hex'),
    subject: new x509.Name([
      ...said.organizations.map((value) => ({ O: [{ utf8String: value }] })),
      { CN: [{ utf8String: said.commonName }] },
    ]),
    issuer: issuer.subjectName,
    notBefore: whole(said.notBefore),
    notAfter: whole(said.notAfter),
    publicKey: new Uint8Array(spki),
    signingKey: keys.privateKey,
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    extensions: [
      new x509.BasicConstraintsExtension(said.authority !== null, said.authority?.pathLength, true),
      new x509.KeyUsagesExtension(
        flags.filter((_, at) => has(usages[at]!)).reduce((sum, flag) => sum | flag, 0),
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(new x509.PublicKey(new Uint8Array(spki))),
      new x509.AuthorityKeyIdentifierExtension(
        issuer.getExtension(x509.SubjectKeyIdentifierExtension)!.keyId,
      ),
      ...(purposes.length > 0 ? [new x509.ExtendedKeyUsageExtension(purposes)] : []),
      ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : []),
    ],
  });
}

test.each(keyAlgorithms.filter((name) => name !== 'RSA-4096'))('of keys of %s', async (algorithm) => {
  const authority = await createAuthority(
    { commonName: 'ä root', algorithm: 'ECDSA-P256', lifetimeMs: year },
    { now, random },
  );
  const publicKey = publicKeyOf(await generateKey(algorithm));
  const spki = createPublicKey(publicKey).export({ type: 'spki', format: 'der' });
  const issuer = new x509.X509Certificate(authority.certificate);
  const keys = (await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, [
    'sign',
    'verify',
  ])) as webcrypto.CryptoKeyPair;
  await fc.assert(
    fc.asyncProperty(statement, async (said) => {
      const ours = new x509.X509Certificate(await sign(said, publicKey, authority, random));
      const theirs = await byLibrary(said, spki, issuer, keys);
      expect(signedPart(ours)).toBe(signedPart(theirs));
      expect(await ours.verify({ publicKey: issuer.publicKey, date: whole(now) })).toBe(true);
    }),
    { numRuns: 40 },
  );
});
