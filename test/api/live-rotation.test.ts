/** What the operator does in a running cluster while the encryption key is replaced: real API server, real encryption. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildAsset } from '../../bootstrap/build.ts';
import { type Child, startChild } from '../../bootstrap/child.ts';
import { type BootstrapCluster, startCluster } from '../../bootstrap/cluster.ts';
import { apiserverSpec, etcdSockets } from '../../bootstrap/components.ts';
import { identityFiles } from '../../bootstrap/identity.ts';
import { freePort } from '../../bootstrap/port.ts';
import {
  createEncryptionKey,
  type EncryptionKey,
  encryptedResources,
  encryptionData,
} from '../../controllers/clusterpki/encryption-secret.ts';
import { type Live, liveOf, type Rewritings } from '../../controllers/clusterpki/live.ts';
import { idleRecord } from '../../controllers/clusterpki/record.ts';
import { systemClock } from '../../controllers/lib/core/clock.ts';
import { KubeClient } from '../../controllers/lib/kube/client.ts';
import { kubeConfigFrom } from '../../controllers/lib/kube/config.ts';
import { clusterOf } from '../support/cluster-objects.ts';
import { eventually } from '../support/eventually.ts';

/** More than one page, and more than one visit. */
const count = 620;
const [former, newer] = [createEncryptionKey(randomBytes), createEncryptionKey(randomBytes)];
const dataDir = mkdtempSync(join(tmpdir(), 'firn-live-'));
const signal = AbortSignal.timeout(280_000);

let cluster: BootstrapCluster;
let apiserver: Child | undefined;
let client: KubeClient;

/** An API server on the data of the cluster, which writes with the first of these keys. */
async function serveWith(keys: EncryptionKey[]): Promise<void> {
  await apiserver?.stop(5_000);
  await client?.close();
  const record = idleRecord(undefined, '2026-11-21T10:00:00Z');
  const text = encryptionData({ keys, record })['encryption-config.yaml']!.open();
  const config = join(dataDir, 'encryption.yaml');
  writeFileSync(config, text, { mode: 0o600 });
  const port = (await freePort(0))!;
  const spec = apiserverSpec(dataDir, await buildAsset('kube-apiserver'), port);
  const own = [`--encryption-provider-config=${config}`];
  const [logFile, pidFile] = [join(dataDir, 'encrypting.log'), join(dataDir, 'encrypting.pid')];
  apiserver = startChild({ ...spec, arguments: [...spec.arguments, ...own], logFile, pidFile });
  const kubeconfig = join(dataDir, 'encrypting.kubeconfig');
  const text2 = readFileSync(cluster.kubeconfig, 'utf8').replace(cluster.server, `https://127.0.0.1:${port}`);
  writeFileSync(kubeconfig, text2, { mode: 0o600 });
  client = new KubeClient(kubeConfigFrom(kubeconfig), systemClock);
  await eventually(async () => expect(await client.raw('GET', '/readyz', { signal })).toBe('ok'));
}

const pathOf = (name: string) => `/api/v1/namespaces/default/secrets/${name}`;
const secret = (at: number) => ({
  metadata: { name: `secret-${at}` },
  data: { word: Buffer.from(`word ${at}`).toString('base64') },
});

/** How many Secrets in etcd begin with what a key writes, by the name of the key. */
async function writtenBy(): Promise<Record<string, number>> {
  const encode = (text: string) => Buffer.from(text).toString('base64');
  const from = '/registry/secrets/';
  const body = JSON.stringify({ key: encode(from), range_end: encode('/registry/secrets0') });
  const answer = await new Promise<string>((resolve, reject) => {
    const socketPath = join(dataDir, etcdSockets[0]);
    const call = request({ socketPath, method: 'POST', path: '/v3/kv/range' }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part) => {
        text += part;
      });
      response.on('end', () => resolve(text));
    });
    call.on('error', reject).end(body);
  });
  const counted: Record<string, number> = {};
  for (const { value } of (JSON.parse(answer) as { kvs: { value: string }[] }).kvs) {
    const head = Buffer.from(value, 'base64').subarray(0, 80).toString('latin1');
    const key = /^k8s:enc:secretbox:v1:([^:]*):/.exec(head)?.[1] ?? 'nobody';
    counted[key] = (counted[key] ?? 0) + 1;
  }
  return counted;
}

const rewritings: Rewritings = new Map();
const live = (version: string | undefined, target = async () => client): Live =>
  liveOf({
    cluster: clusterOf({}, version === undefined ? {} : { kubernetes: { version } }),
    ...{ target, signal, now: Date.now(), uid: 'uid', rewritings },
  });

beforeAll(async () => {
  cluster = await startCluster({ dataDir, durability: 'memory' });
  await serveWith([former]);
  for (let at = 0; at < count; at += 20) {
    const some = Array.from({ length: Math.min(20, count - at) }, (_, more) => secret(at + more));
    await Promise.all(
      some.map((body) => client.raw('POST', '/api/v1/namespaces/default/secrets', { signal, body })),
    );
  }
}, 240_000);

afterAll(async () => {
  await client?.close();
  await apiserver?.stop(5_000);
  await cluster?.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

test('where no Kubernetes runs, nobody is asked', async () => {
  const never = async () => {
    throw new Error('asked');
  };
  expect(await live(undefined, never).rewritten('one', encryptedResources)).toEqual({ open: true });
});

test('what the former key wrote is written again, some at a visit, and the words say how far it is', async () => {
  expect(await writtenBy()).toEqual({ [former.name]: count });
  await serveWith([newer, former]);
  const first = await live('1.36').rewritten('one', encryptedResources);
  expect(first).toEqual({
    open: false,
    waitsFor: `500 of ${count} secrets are written again`,
    recheckMs: expect.any(Number),
  });
  expect(await writtenBy()).toEqual({ [former.name]: count - 500, [newer.name]: 500 });
  expect(await live('1.36').rewritten('one', encryptedResources)).toEqual({ open: true });
  expect(await writtenBy()).toEqual({ [newer.name]: count });
});

test('the former key can go then, and every Secret says what it said', async () => {
  await serveWith([newer]);
  for (const at of [0, 99, 100, 499, 500, count - 1]) {
    expect(await client.raw('GET', pathOf(`secret-${at}`), { signal })).toMatchObject(secret(at));
  }
});

test('an operator that begins anew, and a second time, writes nothing twice', async () => {
  const revision = async () =>
    ((await client.raw('GET', pathOf('secret-0'), { signal })) as { metadata: { resourceVersion: string } })
      .metadata.resourceVersion;
  const before = await revision();
  rewritings.clear();
  expect((await live('1.36').rewritten('two', encryptedResources)).open).toBe(false);
  rewritings.clear();
  await live('1.36').rewritten('two', encryptedResources);
  expect((await live('1.36').rewritten('two', encryptedResources)).open).toBe(true);
  expect(await revision()).toBe(before);
});

test('resources of groups are found, and those that are not there are nobody’s', async () => {
  const resources = ['configmaps', 'leases.coordination.k8s.io', 'widgets.example.com', '*.*'];
  expect(await live('1.36').rewritten('three', resources)).toEqual({ open: true });
});

test('legacy tokens are found by what signed them, and only their names are told', async () => {
  const token = `${Buffer.from(JSON.stringify({ alg: 'RS256', kid: 'former' })).toString('base64url')}.e30.c2ln`;
  const path = '/api/v1/namespaces/default/serviceaccounts';
  await client.raw('POST', path, { signal, body: { metadata: { name: 'robot' } } });
  const body = {
    type: 'kubernetes.io/service-account-token',
    metadata: { name: 'robot', annotations: { 'kubernetes.io/service-account.name': 'robot' } },
    data: { token: Buffer.from(token).toString('base64') },
  };
  await client.raw('POST', '/api/v1/namespaces/default/secrets', { signal, body });
  const publicKey = readFileSync(join(dataDir, identityFiles.serviceAccount), 'utf8');
  const gate = await live('1.36').tokensRenewed(publicKey, '2026-11-21T10:00:00Z');
  expect(gate).toMatchObject({ open: false, waitsFor: expect.stringContaining('default/robot') });
  expect(JSON.stringify(gate)).not.toContain(token);
  await client.raw('DELETE', pathOf('robot'), { signal, body: {} });
  expect(await live('1.36').tokensRenewed(publicKey, '2026-11-21T10:00:00Z')).toEqual({ open: true });
});

test('an API that does not answer holds a rotation up', async () => {
  await apiserver!.stop(5_000);
  for (const gate of [
    await live('1.36').rewritten('four', encryptedResources),
    await live('1.36').podsRestarted([]),
  ]) {
    expect(gate).toMatchObject({
      open: false,
      waitsFor: expect.stringContaining('the API of the cluster, which has to be asked first'),
    });
  }
});
