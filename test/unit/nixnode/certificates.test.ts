/** A host and its certificates over time: what it observes decides what is made anew. */
import { randomBytes, X509Certificate } from 'node:crypto';
import { leavesOf } from '../../../controllers/clusterpki/leaves.ts';
import type { Material } from '../../../controllers/clusterpki/material.ts';
import { Sealed } from '../../../controllers/lib/core/sealed.ts';
import type { Observation } from '../../../controllers/lib/host/protocol.ts';
import { secretsPartHash } from '../../../controllers/lib/nix/release.ts';
import { type Authority, createAuthority, endOf } from '../../../controllers/lib/pki/authority.ts';
import {
  type LeafPlan,
  leafFiles,
  makeLeaves,
  planLeaves,
} from '../../../controllers/nixnode/certificates.ts';
import { ClusterPKI } from '../../../crds/index.ts';
import { inspectCertificate } from '../../support/inspect-certificate.ts';
import { observation, part } from '../../support/observation.ts';
import { subject } from '../../support/pki-subject.ts';

const day = 86_400_000;
const start = Date.UTC(2026, 10, 21, 12);
const hmacKey = new Sealed<Uint8Array>(new Uint8Array(32));

const { spec: policy } = ClusterPKI.parse({
  apiVersion: 'firn.dev/v1alpha1',
  kind: 'ClusterPKI',
  metadata: { name: 'demo', namespace: 'demo', uid: 'x', resourceVersion: '1' },
  spec: {},
});

const authority = (signer: Authority) => ({
  signer,
  fingerprint: inspectCertificate(signer.certificate).fingerprint,
  trust: signer.certificate,
  trustFingerprint: '',
  notAfter: endOf(signer),
});

const root = (commonName: string, lifetimeMs = 3650 * day) =>
  createAuthority({ commonName, algorithm: 'ECDSA-P256', lifetimeMs }, { now: start, random: randomBytes });

let material: Material;
beforeAll(async () => {
  const [cluster, etcd, frontProxy] = await Promise.all(
    ['cluster', 'etcd', 'front'].map((name) => root(name)),
  );
  material = {
    authorities: {
      cluster: authority(cluster!),
      etcd: authority(etcd!),
      'front-proxy': authority(frontProxy!),
    },
  } as Material;
});

const plan = (seen: Observation, now: number, of = material, leaves = leavesOf(subject)): LeafPlan[] =>
  planLeaves(leaves, of, policy, seen, 'uid-1', now);
const nameOf = (plans: readonly LeafPlan[]): string => secretsPartHash(hmacKey, leafFiles(plans));
const made = (plans: readonly LeafPlan[]): string[] =>
  plans.filter(({ keptIn }) => keptIn === null).map(({ leaf }) => leaf.name);

/** What the host says once a plan is on it, as part `letter`. */
async function deployed(
  plans: readonly LeafPlan[],
  letter: string,
  now: number,
  before?: Observation,
  of = material,
): Promise<Observation> {
  const contents = await makeLeaves(plans, of, policy, { now, random: randomBytes });
  const certificates = plans.map(({ leaf }) => {
    const text = contents.get(leaf.certificatePath)?.open();
    const der = text && new X509Certificate(Buffer.from(text)).raw.toString('base64');
    const kept = before?.certificates.find(({ pathB64 }) => pathB64 === leaf.certificatePath);
    return der === undefined ? kept! : { pathB64: leaf.certificatePath, certificate: der };
  });
  const leaves = Object.fromEntries(plans.map(({ leaf, record }) => [leaf.certificatePath, record]));
  const parts = { system: part('a'), data: part('b'), secrets: part(letter) };
  return observation({
    releases: [{ id: '000000000001', parts, system: null }],
    current: '000000000001',
    stored: { system: [], data: [], secrets: [part(letter)] },
    manifestB64: JSON.stringify({ leaves }),
    certificates,
  });
}

test('a new host gets all of them, and then keeps them', async () => {
  const first = plan(observation(), start);
  expect(made(first)).toContain('apiserver');
  expect(made(first)).toHaveLength(first.length);
  const host = await deployed(first, 'c', start);
  const second = plan(host, start + 3 * day);
  expect(made(second)).toEqual([]);
  expect(second.every(({ keptIn }) => keptIn === part('c'))).toBe(true);
  expect(nameOf(second)).toBe(nameOf(first));
});

test('what is made has the key beside the certificate, and nothing is made of what stays', async () => {
  const plans = plan(observation(), start);
  const contents = await makeLeaves(plans, material, policy, { now: start, random: randomBytes });
  expect([...contents.keys()].sort()).toEqual(
    leafFiles(plans)
      .map(({ path }) => path)
      .sort(),
  );
  const text = (path: string) => new TextDecoder().decode(contents.get(path)!.open());
  const apiserver = plans.find(({ leaf }) => leaf.name === 'apiserver')!.leaf;
  const certificate = new X509Certificate(text(apiserver.certificatePath));
  expect(certificate.checkHost('kube.example.com')).toBe('kube.example.com');
  expect(text(apiserver.keyPath)).toContain('PRIVATE KEY');
  const host = await deployed(plans, 'c', start);
  const kept = await makeLeaves(plan(host, start), material, policy, { now: start, random: randomBytes });
  expect(kept.size).toBe(0);
});

test('all are renewed before the last third of their life is over, and not all at once', async () => {
  const host = await deployed(plan(observation(), start), 'c', start);
  expect(made(plan(host, start + 50 * day))).toEqual([]);
  const renewedAfter = (days: number) => made(plan(host, start + days * day)).length;
  const all = leavesOf(subject).length;
  expect(renewedAfter(60)).toBe(all);
  expect(renewedAfter(55)).toBeGreaterThan(0);
  expect(renewedAfter(55)).toBeLessThan(all);
});

test('a renewal has another name, keeps the others, and is settled when the host has it', async () => {
  const host = await deployed(plan(observation(), start), 'c', start);
  const now = start + 55 * day;
  const renewal = plan(host, now);
  expect(nameOf(renewal)).not.toBe(nameOf(plan(host, start)));
  const after = await deployed(renewal, 'd', now, host);
  const settled = plan(after, now + day);
  const again = made(settled);
  expect(made(renewal).filter((name) => again.includes(name))).toEqual([]);
  expect(nameOf(plan(after, now))).toBe(nameOf(renewal));
});

test('a renewal that the host took back is the same within a day, and another one the next day', async () => {
  const host = await deployed(plan(observation(), start), 'c', start);
  const now = start + 60 * day;
  expect(nameOf(plan(host, now + 3_600_000))).toBe(nameOf(plan(host, now)));
  expect(nameOf(plan(host, now + day))).not.toBe(nameOf(plan(host, now)));
});

test('another authority, another name or another algorithm makes them anew at once, also on the same day', async () => {
  const host = await deployed(plan(observation(), start), 'c', start);
  const next = { ...material.authorities, etcd: authority(await root('etcd 2')) };
  const reissued = plan(host, start, { ...material, authorities: next });
  expect(made(reissued)).toEqual(
    leavesOf(subject)
      .filter(({ authority: signer }) => signer === 'etcd')
      .map(({ name }) => name),
  );
  const moved = leavesOf({ ...subject, underlayAddresses: ['192.0.2.99'] });
  expect(made(plan(host, start, material, moved))).toContain('apiserver');
  const other = planLeaves(
    leavesOf(subject),
    material,
    { ...policy, keyAlgorithm: 'RSA-2048' },
    host,
    'u',
    start,
  );
  expect(made(other)).toHaveLength(other.length);
});

test.each<[string, (host: Observation) => Observation]>([
  ['lost its files', (host) => ({ ...host, stored: { ...host.stored, secrets: [] } })],
  ['has no record of them', (host) => ({ ...host, manifestB64: '' })],
  ['has a record that somebody else wrote', (host) => ({ ...host, manifestB64: '{"leaves":{"a":1}}' })],
  ['does not show them', (host) => ({ ...host, certificates: [] })],
  [
    'shows something that is no certificate',
    (host) => ({
      ...host,
      certificates: host.certificates.map((one) => ({ ...one, certificate: btoa('nonsense') })),
    }),
  ],
])('a host that %s gets all of them anew', async (_, changed) => {
  const first = plan(observation(), start);
  const host = changed(await deployed(first, 'c', start));
  const again = plan(host, start + 1);
  expect(made(again)).toHaveLength(first.length);
});

test('what is made again in the same period has another name, or the host would take it for what it has', async () => {
  const first = plan(observation(), start);
  const host = await deployed(first, 'c', start);
  const again = plan({ ...host, certificates: [] }, start + 1);
  expect(nameOf(again)).not.toBe(nameOf(first));
});

test('certificates that end with their authority are not made anew for ever', async () => {
  const short = authority(await root('short', 40 * day));
  const dying = { ...material, authorities: { ...material.authorities, cluster: short } };
  const host = await deployed(plan(observation(), start, dying), 'c', start, undefined, dying);
  expect(made(plan(host, start + day, dying))).toEqual([]);
});
