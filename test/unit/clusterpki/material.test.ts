import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { parse } from 'yaml';
import { type AuthorityState, authorityData } from '../../../controllers/clusterpki/authority-secret.ts';
import { createEncryptionKey, encryptionData } from '../../../controllers/clusterpki/encryption-secret.ts';
import { type MaterialSecrets, materialOf } from '../../../controllers/clusterpki/material.ts';
import { idleRecord } from '../../../controllers/clusterpki/record.ts';
import { serviceAccountData } from '../../../controllers/clusterpki/service-account-secret.ts';
import { originsOf, sharedFilesOf } from '../../../controllers/clusterpki/shared-files.ts';
import { ReconcileError } from '../../../controllers/lib/core/outcome.ts';
import { Sealed } from '../../../controllers/lib/core/sealed.ts';
import type { Secret } from '../../../controllers/lib/kube/core-kinds.ts';
import { createAuthority } from '../../../controllers/lib/pki/authority.ts';
import { crossSign } from '../../../controllers/lib/pki/cross-sign.ts';
import { generateKey } from '../../../controllers/lib/pki/keys.ts';
import { issueLeaf } from '../../../controllers/lib/pki/leaf.ts';
import { splitPem } from '../../../controllers/lib/pki/pem.ts';
import { inspectCertificate } from '../../support/inspect-certificate.ts';

const issuance = { now: Date.now(), random: randomBytes };
const record = idleRecord(undefined, '2026-11-21T10:00:00Z');
const root = (commonName: string) =>
  createAuthority({ commonName, algorithm: 'ECDSA-P256', lifetimeMs: 86_400_000 }, issuance);
const idle = async (name: string): Promise<AuthorityState> => ({
  signer: await root(name),
  next: null,
  previous: null,
  record,
});

const secretOf = (name: string, data: Record<string, Sealed<string>>): Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: 'demo', uid: name, resourceVersion: '1' },
  type: 'Opaque',
  data: Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, new Sealed(new TextEncoder().encode(value.open()))]),
  ),
});

async function secrets(): Promise<MaterialSecrets> {
  const [cluster, etcd, frontProxy] = await Promise.all(['a', 'b', 'c'].map(idle));
  const key = await generateKey('ECDSA-P256');
  return {
    cluster: secretOf('demo-cluster-ca', authorityData(cluster!)),
    etcd: secretOf('demo-etcd-ca', authorityData(etcd!)),
    frontProxy: secretOf('demo-front-proxy-ca', authorityData(frontProxy!)),
    serviceAccount: secretOf(
      'demo-service-account',
      serviceAccountData({ key, next: null, previous: null, record }),
    ),
    encryption: secretOf(
      'demo-encryption',
      encryptionData({ keys: [createEncryptionKey(randomBytes)], record }),
    ),
  };
}

const text = (file: { content: Sealed<Uint8Array> }) => new TextDecoder().decode(file.content.open());

test('a control plane gets whom to trust and the keys that it shares, a worker one bundle', async () => {
  const material = materialOf(await secrets());
  const subject = {
    node: 'n',
    addresses: [],
    underlayAddresses: [],
    cluster: { name: '', domain: '', endpointHost: '', services: [] },
  };
  const files = sharedFilesOf({ ...subject, roles: ['control-plane'] }, material);
  expect(files.map(({ path, mode, owner }) => `${path} ${mode.toString(8)} ${owner}`)).toEqual([
    '/etc/kubernetes/pki/ca.crt 444 root',
    '/etc/kubernetes/pki/encryption-config.yaml 400 kubernetes',
    '/etc/kubernetes/pki/etcd/ca.crt 444 root',
    '/etc/kubernetes/pki/front-proxy-ca.crt 444 root',
    '/etc/kubernetes/pki/sa.key 400 kubernetes',
    '/etc/kubernetes/pki/sa.pub 400 kubernetes',
  ]);
  expect(files.every((file) => !/\n\n|undefined/.test(text(file)))).toBe(true);
  const config = parse(text(files[1]!)) as { kind: string; resources: { providers: object[] }[] };
  expect(config.kind).toBe('EncryptionConfiguration');
  expect(config.resources[0]!.providers).toEqual([
    {
      secretbox: {
        keys: [{ name: expect.stringMatching(/^key-[0-9a-f]{12}$/), secret: expect.any(String) }],
      },
    },
    { identity: {} },
  ]);
  const worker = sharedFilesOf({ ...subject, roles: ['worker'] }, material);
  expect(worker.map(({ path }) => path)).toEqual(['/etc/kubernetes/pki/ca.crt']);
});

test('origins name what the host has, and nothing that it has not', async () => {
  const material = materialOf(await secrets());
  expect(Object.keys(originsOf({ roles: ['worker'] }, material))).toEqual(['cluster', 'cluster-trust']);
  const all = originsOf({ roles: ['control-plane'] }, material);
  expect(Object.keys(all).sort()).toEqual([
    'cluster',
    'cluster-trust',
    'encryption',
    'etcd',
    'etcd-trust',
    'front-proxy',
    'front-proxy-trust',
    'service-account',
  ]);
  expect(Object.values(all).every((value) => /^[0-9a-f]{64}$/.test(value))).toBe(true);
  expect(all.cluster).toBe(inspectCertificate(material.authorities.cluster.signer.certificate).fingerprint);
});

test('in the middle of a rotation the new authority signs, vouched for by the old one, and both are trusted', async () => {
  const [older, newer] = [await root('older'), await root('newer')];
  const cross = await crossSign(newer, older, issuance);
  const signer = { ...newer, chain: cross! };
  const state: AuthorityState = { signer, next: null, previous: older, record };
  const made = materialOf({
    ...(await secrets()),
    cluster: secretOf('demo-cluster-ca', authorityData(state)),
  });
  const { cluster } = made.authorities;
  expect(cluster.signer.chain).toBe(cross);
  expect(cluster.fingerprint).toBe(inspectCertificate(newer.certificate).fingerprint);
  expect(splitPem(cluster.trust).sort()).toEqual([older.certificate, newer.certificate].sort());
  const leaf = await issueLeaf(
    cluster.signer,
    { commonName: 'x', ends: ['client auth'], algorithm: 'ECDSA-P256', lifetimeMs: 3_600_000 },
    issuance,
  );
  expect(splitPem(leaf.certificate)).toHaveLength(2);
});

test('a bundle has the same bytes whoever of the two signs', async () => {
  const [older, newer] = [await root('older'), await root('newer')];
  const bundle = (state: Pick<AuthorityState, 'signer' | 'next' | 'previous'>) =>
    authorityData({ ...state, record })['ca.crt']!.open();
  expect(bundle({ signer: older, next: newer, previous: null })).toBe(
    bundle({ signer: newer, next: null, previous: older }),
  );
});

test.each([
  ['an authority without a key', 'cluster', 'tls.key'],
  ['an authority without a certificate', 'etcd', 'tls.crt'],
  ['no key for tokens', 'serviceAccount', 'sa.key'],
  ['no keys for encryption', 'encryption', 'encryption-config.yaml'],
] as const)('%s is named by its Secret, without its content', async (_, which, key) => {
  const all = await secrets();
  for (const value of [undefined, 'canary-c0ffee']) {
    const { [key]: former, ...rest } = all[which].data;
    const data = value === undefined ? rest : { ...rest, [key]: new Sealed(new TextEncoder().encode(value)) };
    let seen: unknown;
    try {
      materialOf({ ...all, [which]: { ...all[which], data } });
    } catch (error) {
      seen = error;
    }
    expect(former).toBeDefined();
    expect(seen).toBeInstanceOf(ReconcileError);
    expect(seen).toMatchObject({ verdict: 'terminal', reason: 'PkiSecretUnusable' });
    expect((seen as Error).message).toContain(`Secret ${all[which].metadata.name} is not usable`);
    expect(inspect(seen, { depth: 10 })).not.toContain('c0ffee');
  }
});
