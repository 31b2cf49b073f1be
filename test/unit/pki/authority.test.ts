import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { Sealed } from '../../../controllers/lib/core/sealed.ts';
import {
  createAuthority,
  createIntermediate,
  parseAuthority,
} from '../../../controllers/lib/pki/authority.ts';
import { algorithmOf, generateKey, publicKeyOf } from '../../../controllers/lib/pki/keys.ts';
import { issueLeaf } from '../../../controllers/lib/pki/leaf.ts';
import { PkiError } from '../../../controllers/lib/pki/pki-error.ts';
import { createServiceAccountKeys } from '../../../controllers/lib/pki/service-account.ts';
import { inspectCertificate } from '../../support/inspect-certificate.ts';
import { OpensslFolder } from '../../support/openssl.ts';

const day = 86_400_000;
const issuance = { now: Date.now(), random: randomBytes };
const spec = { commonName: 'test', algorithm: 'ECDSA-P256' as const, lifetimeMs: day };

describe('an authority made elsewhere', () => {
  const kinds = {
    'EC as SEC 1': ['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', 'ca.key'],
    'RSA as PKCS#1': ['genrsa', '-traditional', '-out', 'ca.key', '2048'],
  };
  test.each(Object.entries(kinds))('with its key in %s signs leaves', async (_kind, makeKey) => {
    using openssl = new OpensslFolder();
    openssl.run(makeKey);
    const subject = '/C=DE/O=Example/CN=Test Authority';
    const certificate = openssl.run([
      'req',
      '-x509',
      '-new',
      '-key',
      'ca.key',
      '-subj',
      subject,
      '-days',
      '2',
    ]);
    // Not `openssl pkey`, which would turn the file into PKCS#8.
    const key = new Sealed(openssl.run(['enc', '-in', 'ca.key']));
    const authority = parseAuthority(certificate, key);
    const leaf = await issueLeaf(
      authority,
      { commonName: 'x', dnsNames: ['x'], ends: ['server auth'], algorithm: 'ECDSA-P256', lifetimeMs: day },
      issuance,
    );
    const files = { 'ca.crt': certificate, 'leaf.crt': leaf.certificate };
    expect(openssl.run(['verify', '-purpose', 'sslserver', '-CAfile', 'ca.crt', 'leaf.crt'], files)).toBe(
      'leaf.crt: OK\n',
    );
  });
});

test('an intermediate is read back with what leads to its root', async () => {
  const root = await createAuthority(spec, issuance);
  const made = await createIntermediate(root, { ...spec, commonName: 'between' }, issuance);
  const read = parseAuthority(made.chain, made.key);
  expect({ certificate: read.certificate, chain: read.chain }).toEqual({
    certificate: made.certificate,
    chain: made.chain,
  });
});

test('what does not belong together is refused, and says nothing of the key', async () => {
  const [one, other] = [await createAuthority(spec, issuance), await createAuthority(spec, issuance)];
  expect(() => parseAuthority(one.certificate, other.key)).toThrow(
    new PkiError('the key does not belong to the certificate'),
  );
  const leaf = await issueLeaf(one, { ...spec, ends: ['client auth'] }, issuance);
  expect(() => parseAuthority(leaf.certificate, leaf.key)).toThrow('not an authority');
  expect(() => parseAuthority('nonsense', one.key)).toThrow('no certificate');
  const broken = new Sealed(
    one.key
      .open()
      .replace(/[A-Z]{3}/, 'AAA')
      .slice(0, 120),
  );
  let seen: unknown;
  try {
    parseAuthority(one.certificate, broken);
  } catch (error) {
    seen = error;
  }
  expect(seen).toBeInstanceOf(PkiError);
  const body = broken.open().split('\n')[1]!;
  expect(inspect(seen, { depth: 10 })).not.toContain(body.slice(0, 20));
});

test('key material is sealed', async () => {
  const authority = await createAuthority(spec, issuance);
  expect(inspect(authority, { depth: 10 }) + JSON.stringify(authority)).not.toContain('PRIVATE KEY');
});

test('a kind of key that Kubernetes does not take is named', () => {
  using openssl = new OpensslFolder();
  const ed25519 = new Sealed(openssl.run(['genpkey', '-algorithm', 'ed25519']));
  expect(() => algorithmOf(ed25519)).toThrow('a key of kind ed25519; usable are ECDSA-P256');
  const small = new Sealed(openssl.run(['genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:1024']));
  expect(() => algorithmOf(small)).toThrow('a key of kind rsa 1024 bits');
});

test('service-account keys belong together', async () => {
  const { key, publicKey } = await createServiceAccountKeys('ECDSA-P256');
  expect(publicKeyOf(key)).toBe(publicKey);
  expect(algorithmOf(await generateKey('ECDSA-P384'))).toBe('ECDSA-P384');
});

test('the fingerprint is the one that OpenSSL shows', async () => {
  const { certificate } = await createAuthority(spec, issuance);
  using openssl = new OpensslFolder();
  const said = openssl.run(['x509', '-noout', '-fingerprint', '-sha256', '-in', 'a'], { a: certificate });
  expect(said.trim().split('=')[1]!.replaceAll(':', '').toLowerCase()).toBe(
    inspectCertificate(certificate).fingerprint,
  );
});
