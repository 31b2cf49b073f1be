import { createHash, createPublicKey, generateKeyPairSync } from 'node:crypto';
import type { Pod } from '../../../controllers/clusterpki/live-pods.ts';
import { keyIdIn, keyIdOf, tokensGate } from '../../../controllers/clusterpki/live-tokens.ts';

const publicKey = () =>
  generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({
    type: 'spki',
    format: 'pem',
  }) as string;
const [signing, former] = [publicKey(), publicKey()];
const tokenOf = (header: object) => `${Buffer.from(JSON.stringify(header)).toString('base64url')}.e30.c2ln`;

const at = (text: string) => Date.parse(text);
const since = at('2026-11-21T10:00:00Z');
const pod = (name: string, created: string, ...expirationSeconds: number[]): Pod => ({
  metadata: { namespace: 'shop', name, creationTimestamp: created },
  spec: {
    volumes: [
      {
        projected: {
          sources: expirationSeconds.map((one) => ({ serviceAccountToken: { expirationSeconds: one } })),
        },
      },
    ],
  },
  status: { phase: 'Running' },
});
const saidAt = (now: string, given: Partial<Parameters<typeof tokensGate>[3]>) => {
  const gate = tokensGate(signing, since, at(now), { secrets: [], pods: [], ...given });
  return gate.open ? null : gate.waitsFor;
};

test('a key is named as Kubernetes names it', () => {
  const der = createPublicKey(signing).export({ type: 'spki', format: 'der' });
  expect(keyIdOf(signing)).toBe(createHash('sha256').update(der).digest('base64url'));
  expect(keyIdIn(tokenOf({ alg: 'ES256', kid: 'x' }))).toBe('x');
});

test.each(['', 'x', '.', 'bm90IGpzb24.x.y', tokenOf({ kid: 3 }), tokenOf([])])('no key in %j', (token) => {
  expect(keyIdIn(token)).toBeUndefined();
});

test('Secrets with tokens of the former key are named, and no others', () => {
  const secrets = [
    { namespace: 'shop', name: 'robot', keyId: keyIdOf(former) },
    { namespace: 'shop', name: 'renewed', keyId: keyIdOf(signing) },
    { namespace: 'shop', name: 'unfilled', keyId: undefined },
  ];
  const said = saidAt('2026-12-01T00:00:00Z', { secrets });
  expect(said).toContain('1 Secrets that the former key has signed: shop/robot; remove data.token');
});

test('kubelets renew tokens of pods within four fifths of their time, or a day', () => {
  const pods = [pod('hourly', '2026-11-21T09:00:00Z', 3607), pod('over', '2026-11-21T09:00:00Z')];
  expect(saidAt('2026-11-21T10:30:00Z', { pods })).toContain('by 2026-11-21T10:58:05Z: shop/hourly;');
  expect(saidAt('2026-11-21T10:59:00Z', { pods })).toBeNull();
  const long = [pod('weekly', '2026-11-21T09:00:00Z', 604_800)];
  expect(saidAt('2026-11-22T10:00:00Z', { pods: long })).toContain('by 2026-11-22T10:10:00Z');
  expect(saidAt('2026-11-22T10:11:00Z', { pods: long })).toBeNull();
});

test('pods that came later have tokens of the new key', () => {
  expect(saidAt('2026-11-21T10:02:00Z', { pods: [pod('new', '2026-11-21T10:01:00Z', 3607)] })).toBeNull();
});
