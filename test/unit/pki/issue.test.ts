import { randomBytes } from 'node:crypto';
import {
  type Authority,
  createAuthority,
  createIntermediate,
} from '../../../controllers/lib/pki/authority.ts';
import { keyAlgorithms } from '../../../controllers/lib/pki/keys.ts';
import { issueLeaf, type LeafSpec } from '../../../controllers/lib/pki/leaf.ts';
import { inspectCertificate } from '../../support/inspect-certificate.ts';
import { OpensslFolder } from '../../support/openssl.ts';

const hour = 3_600_000;
const year = 365 * 24 * hour;
const issuance = { now: Date.now(), random: randomBytes };
const root = (lifetimeMs = year): Promise<Authority> =>
  createAuthority({ commonName: 'test-root', algorithm: 'ECDSA-P256', lifetimeMs }, issuance);
const leaf: LeafSpec = {
  commonName: 'system:node:alpha',
  organizations: ['system:nodes'],
  dnsNames: ['alpha', 'alpha.example.org'],
  ipAddresses: ['192.0.2.11', '2001:db8::11'],
  ends: ['server auth', 'client auth'],
  algorithm: 'ECDSA-P256',
  lifetimeMs: hour,
};

test.each(keyAlgorithms)('OpenSSL verifies a leaf with %s keys at both ends of TLS', async (algorithm) => {
  const authority = await createAuthority({ commonName: 'test-root', algorithm, lifetimeMs: year }, issuance);
  const { certificate, key } = await issueLeaf(authority, { ...leaf, algorithm }, issuance);
  using openssl = new OpensslFolder();
  const files = { 'ca.crt': authority.certificate, 'leaf.crt': certificate, 'leaf.key': key.open() };
  for (const purpose of ['sslserver', 'sslclient']) {
    const said = openssl.run(
      ['verify', '-x509_strict', '-purpose', purpose, '-CAfile', 'ca.crt', 'leaf.crt'],
      files,
    );
    expect(said).toBe('leaf.crt: OK\n');
  }
  const publicKey = openssl.run(['x509', '-in', 'leaf.crt', '-noout', '-pubkey']);
  expect(openssl.run(['pkey', '-in', 'leaf.key', '-pubout'])).toBe(publicKey);
});

test('a certificate for one end of TLS is refused at the other', async () => {
  const authority = await root();
  const { certificate } = await issueLeaf(authority, { ...leaf, ends: ['client auth'] }, issuance);
  using openssl = new OpensslFolder();
  const files = { 'ca.crt': authority.certificate, 'leaf.crt': certificate };
  const verify = (purpose: string) =>
    openssl.run(['verify', '-purpose', purpose, '-CAfile', 'ca.crt', 'leaf.crt'], files);
  expect(verify('sslclient')).toBe('leaf.crt: OK\n');
  expect(() => verify('sslserver')).toThrow(/(?:unsupported|unsuitable) certificate purpose/);
});

test('a leaf below an intermediate brings what leads to the root', async () => {
  const above = await root();
  const spec = { commonName: 'test-intermediate', algorithm: 'RSA-2048' as const, lifetimeMs: year };
  const between = await createIntermediate(above, { ...spec, pathLength: 0 }, issuance);
  const { certificate } = await issueLeaf(between, leaf, issuance);
  using openssl = new OpensslFolder();
  const files = { 'ca.crt': above.certificate, 'leaf.crt': certificate };
  const behind = ['-CAfile', 'ca.crt', '-untrusted', 'leaf.crt'];
  expect(openssl.run(['verify', '-x509_strict', ...behind, 'leaf.crt'], files)).toBe('leaf.crt: OK\n');
});

test('a path length forbids another authority below', async () => {
  const above = await createAuthority(
    { commonName: 'test-root', algorithm: 'ECDSA-P256', lifetimeMs: year, pathLength: 0 },
    issuance,
  );
  const spec = { commonName: 'test-intermediate', algorithm: 'ECDSA-P256' as const, lifetimeMs: year };
  const { certificate } = await issueLeaf(await createIntermediate(above, spec, issuance), leaf, issuance);
  using openssl = new OpensslFolder();
  const files = { 'ca.crt': above.certificate, 'leaf.crt': certificate };
  expect(() =>
    openssl.run(['verify', '-CAfile', 'ca.crt', '-untrusted', 'leaf.crt', 'leaf.crt'], files),
  ).toThrow('path length constraint exceeded');
});

test('says what was asked for', async () => {
  const facts = inspectCertificate((await issueLeaf(await root(), leaf, issuance)).certificate);
  expect(facts).toMatchObject({
    commonName: 'system:node:alpha',
    organizations: ['system:nodes'],
    issuerCommonName: 'test-root',
    dnsNames: ['alpha', 'alpha.example.org'],
    ipAddresses: ['192.0.2.11', '2001:db8::11'],
    isAuthority: false,
  });
});

test('begins a little earlier than now and ends with its authority at the latest', async () => {
  const facts = inspectCertificate(
    (await issueLeaf(await root(hour), { ...leaf, lifetimeMs: year }, issuance)).certificate,
  );
  const second = Math.floor(issuance.now / 1000) * 1000;
  expect(facts.notBefore).toBe(second - 300_000);
  expect(facts.notAfter).toBe(second + hour);
});

test('nothing is signed by an authority that has ended, not even with the allowance for slow clocks', async () => {
  const ended = { ...issuance, now: issuance.now + hour };
  await expect(issueLeaf(await root(hour), leaf, ended)).rejects.toThrow(
    'the authority that is to sign it has ended',
  );
});

test('the serial comes from the randomness that was given, and is positive', async () => {
  const authority = await root();
  const serialWith = async (byte: number): Promise<string> => {
    const random = (bytes: number) => new Uint8Array(bytes).fill(byte);
    return inspectCertificate((await issueLeaf(authority, leaf, { ...issuance, random })).certificate).serial;
  };
  expect(await serialWith(0xff)).toBe(`7f${'ff'.repeat(15)}`);
  expect(await serialWith(0)).toBe(`40${'00'.repeat(15)}`);
});

test('years from 2050 on are written as RFC 5280 wants them', async () => {
  const authority = await root(60 * year);
  using openssl = new OpensslFolder();
  const said = openssl.run(['x509', '-noout', '-enddate', '-in', 'ca.crt'], {
    'ca.crt': authority.certificate,
  });
  expect(new Date(said.replace('notAfter=', '')).getTime()).toBe(
    Math.floor((issuance.now + 60 * year) / 1000) * 1000,
  );
});

test('a certificate that would end before it begins is refused', async () => {
  await expect(root(-hour)).rejects.toThrow('would end before it begins');
});

test.each(['192.0.2', '0x7f.0.0.1', 'fe80::1%eth0', '10.0.0.0/8', 'example.org'])(
  '%s is no address',
  async (address) => {
    await expect(issueLeaf(await root(), { ...leaf, ipAddresses: [address] }, issuance)).rejects.toThrow(
      `not an IP address for a certificate: "${address}"`,
    );
  },
);
