import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { importedAuthority } from '../../../controllers/clusterpki/imported.ts';
import { Sealed } from '../../../controllers/lib/core/sealed.ts';
import type { Secret } from '../../../controllers/lib/kube/core-kinds.ts';
import { createAuthority, createIntermediate } from '../../../controllers/lib/pki/authority.ts';
import { issueLeaf } from '../../../controllers/lib/pki/leaf.ts';
import { OpensslFolder } from '../../support/openssl.ts';

const day = 86_400_000;
const now = Date.now();
const issuance = { now, random: randomBytes };
const spec = { commonName: 'Example', algorithm: 'ECDSA-P256' as const, lifetimeMs: 300 * day };

const secretOf = (crt: string, key?: string): Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'brought', namespace: 'demo', uid: 'u', resourceVersion: '1' },
  type: 'kubernetes.io/tls',
  data: Object.fromEntries(
    Object.entries({ 'tls.crt': crt, 'tls.key': key })
      .filter(([, text]) => text !== undefined)
      .map(([name, text]) => [name, new Sealed(new TextEncoder().encode(text))]),
  ),
});

const reasonOf = (secret: Secret, at = now): unknown => {
  try {
    importedAuthority(secret, at);
    return 'accepted';
  } catch (error) {
    expect(inspect(error, { depth: 10 })).not.toContain('PRIVATE');
    return (error as { reason?: string }).reason;
  }
};

test('a root and an intermediate are taken; nobody is sent the root', async () => {
  const root = await createAuthority(spec, issuance);
  const below = await createIntermediate(root, { ...spec, commonName: 'below' }, issuance);
  const lowest = await createIntermediate(below, { ...spec, commonName: 'lowest' }, issuance);
  expect(importedAuthority(secretOf(root.certificate, root.key.open()), now)).toMatchObject({ chain: '' });
  const taken = importedAuthority(secretOf(lowest.chain + root.certificate, lowest.key.open()), now);
  expect(taken.certificate).toBe(lowest.certificate);
  expect(taken.chain).toBe(lowest.certificate + below.certificate);
});

test('what is wrong with one has its own reason', async () => {
  const [root, other] = [await createAuthority(spec, issuance), await createAuthority(spec, issuance)];
  const below = await createIntermediate(root, { ...spec, commonName: 'below' }, issuance);
  const leaf = await issueLeaf(root, { ...spec, ends: ['client auth'], lifetimeMs: day }, issuance);
  const key = root.key.open();
  expect(reasonOf(secretOf('', key))).toBe('ImportedAuthorityUnreadable');
  expect(reasonOf(secretOf('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----', key))).toBe(
    'ImportedAuthorityUnreadable',
  );
  expect(reasonOf(secretOf(root.certificate))).toBe('ImportedAuthorityWithoutKey');
  expect(reasonOf(secretOf(root.certificate, other.key.open()))).toBe('ImportedAuthorityKeyMismatch');
  expect(reasonOf(secretOf(root.certificate, 'nonsense'))).toBe('ImportedAuthorityKeyUnusable');
  expect(reasonOf(secretOf(leaf.certificate, leaf.key.open()))).toBe('ImportedAuthorityNotCA');
  expect(reasonOf(secretOf(below.certificate + other.certificate, below.key.open()))).toBe(
    'ImportedAuthorityChainBroken',
  );
  expect(reasonOf(secretOf(root.certificate, key), now + 301 * day)).toBe('ImportedAuthorityExpired');
  expect(reasonOf(secretOf(root.certificate, key), now - day)).toBe('ImportedAuthorityNotYetValid');
});

test('an authority whose key usage lacks keyCertSign, and a key with a passphrase, as OpenSSL makes them', () => {
  using openssl = new OpensslFolder();
  openssl.run(['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', 'ca.key']);
  const certificate = openssl.run([
    ...['req', '-x509', '-new', '-key', 'ca.key', '-subj', '/O=Example/CN=No Signing', '-days', '2'],
    ...['-addext', 'keyUsage=critical,digitalSignature'],
  ]);
  const key = openssl.run(['enc', '-in', 'ca.key']);
  expect(reasonOf(secretOf(certificate, key), Date.now())).toBe('ImportedAuthorityNotCA');
  const locked = openssl.run(['pkcs8', '-topk8', '-in', 'ca.key', '-passout', 'pass:canary-c0ffee']);
  const good = openssl.run([
    'req',
    '-x509',
    '-new',
    '-key',
    'ca.key',
    '-subj',
    '/O=Example/CN=Fine',
    '-days',
    '2',
  ]);
  // They begin when OpenSSL made them, which is later than when this file was read.
  expect(reasonOf(secretOf(good, locked), Date.now())).toBe('ImportedAuthorityKeyUnusable');
  expect(reasonOf(secretOf(good, key), Date.now())).toBe('accepted');
});
