/** The real etcd and kube-apiserver with the files that hosts get: they start, and know who is who. */
import { X509Certificate } from 'node:crypto';
import type { Material } from '../../controllers/clusterpki/material.ts';
import { eventually } from '../support/eventually.ts';
import { type IssuedLeaf, issueAll, newMaterial } from '../support/pki.ts';
import { subject } from '../support/pki-subject.ts';
import { type RealPki, startRealPki } from '../support/real-pki.ts';
import { keepSecret } from '../support/secrets/registry.ts';

let real: RealPki;
let material: Material;
let leaves: Map<string, IssuedLeaf>;

beforeAll(async () => {
  material = await newMaterial('ECDSA-P256');
  leaves = await issueAll(subject, material, 'ECDSA-P256');
  real = await startRealPki(subject, material, leaves);
}, 180_000);

afterAll(async () => {
  await real?.[Symbol.asyncDispose]();
});

const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
const reviews = '/apis/authentication.k8s.io/v1/selfsubjectreviews';

async function whoIs(ask: Parameters<RealPki['apiserver']>[1]) {
  const { status, body } = await real.apiserver(reviews, { ...ask, body: review });
  const user = (body.status as { userInfo?: { username: string; groups: string[] } } | undefined)?.userInfo;
  return {
    status,
    username: user?.username,
    groups: user?.groups.filter((group) => group !== 'system:authenticated'),
  };
}

test.each([
  ['admin', 'kubernetes-admin', ['firn:cluster-admins']],
  ['kubelet-client', 'system:node:node1', ['system:nodes']],
  ['controller-manager', 'system:kube-controller-manager', []],
  ['scheduler', 'system:kube-scheduler', []],
  ['kube-proxy', 'system:kube-proxy', []],
  ['coredns', 'firn:coredns', []],
  ['apiserver-kubelet-client', 'kube-apiserver-kubelet-client', []],
])('%s is %s to the API server', async (name, username, groups) => {
  expect(await whoIs({ as: leaves.get(name)! })).toEqual({ status: 201, username, groups });
});

test('whom its authority did not sign for, or not as a client, the API server does not know', async () => {
  for (const name of [undefined, 'apiserver-etcd-client', 'etcd-peer', 'front-proxy-client', 'kubelet']) {
    const as = name === undefined ? undefined : leaves.get(name)!;
    expect({ name, ...(await whoIs({ as })) }).toMatchObject({ name, status: 401 });
  }
});

test('the front proxy speaks for others, and nobody else does', async () => {
  const headers = { 'X-Remote-User': 'alice', 'X-Remote-Group': 'developers' };
  expect(await whoIs({ as: leaves.get('front-proxy-client')!, headers })).toEqual({
    status: 201,
    username: 'alice',
    groups: ['developers'],
  });
  expect(await whoIs({ as: leaves.get('scheduler')!, headers })).toMatchObject({
    username: 'system:kube-scheduler',
  });
});

test('etcd serves whom its authority signed for, and nobody else', async () => {
  const range = { key: Buffer.from('/registry/namespaces/default').toString('base64') };
  const asked = (name: string) => real.etcd('/v3/kv/range', { as: leaves.get(name)!, body: range });
  // Its gateway dials etcd itself, with the certificate that it serves with.
  expect(await asked('apiserver-etcd-client')).toMatchObject({ status: 200, body: { count: '1' } });
  for (const name of ['admin', 'front-proxy-client']) await expect(asked(name)).rejects.toThrow();
  await expect(real.etcd('/v3/kv/range', { body: range })).rejects.toThrow();
});

test('a Secret is encrypted in etcd, and a token is signed', async () => {
  const value = `canary-${crypto.randomUUID()}`;
  keepSecret('of the target cluster', value);
  const as = leaves.get('controller-manager')!;
  const made = await real.apiserver('/api/v1/namespaces/default/secrets', {
    as,
    body: { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'hidden' }, stringData: { value } },
  });
  expect(made.status).toBe(201);
  const key = Buffer.from('/registry/secrets/default/hidden').toString('base64');
  const { body } = await real.etcd('/v3/kv/range', {
    as: leaves.get('apiserver-etcd-client')!,
    body: { key },
  });
  const stored = Buffer.from((body.kvs as { value: string }[])[0]!.value, 'base64').toString('latin1');
  expect(stored).toMatch(/^k8s:enc:secretbox:v1:key-[0-9a-f]{12}:/);
  expect(stored).not.toContain(value);

  const account = '/api/v1/namespaces/default/serviceaccounts';
  await real.apiserver(account, {
    as,
    body: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'worker' } },
  });
  const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} };
  const issued = await real.apiserver(`${account}/worker/token`, { as, body: request });
  const { token } = issued.body.status as { token: string };
  keepSecret('a token of the target cluster', token);
  expect(await whoIs({ headers: { authorization: `Bearer ${token}` } })).toMatchObject({
    username: 'system:serviceaccount:default:worker',
  });
});

test('servers take up a renewed certificate by themselves', async () => {
  const renewed = await issueAll(subject, material, 'ECDSA-P256');
  for (const [server, name] of [
    ['etcd', 'etcd-server'],
    ['apiserver', 'apiserver'],
  ] as const) {
    const before = await real.shows(server);
    const next = renewed.get(name)!;
    expect(before).toBe(new X509Certificate(leaves.get(name)!.certificate).fingerprint256);
    real.write(next);
    // The API server looks once a minute where it is not told of a change, as behind a symbolic link.
    await eventually(async () => {
      expect(await real.shows(server)).toBe(new X509Certificate(next.certificate).fingerprint256);
    }, 90_000);
  }
  expect(await whoIs({ as: leaves.get('scheduler')! })).toMatchObject({ username: 'system:kube-scheduler' });
});
