/** The way into a cluster: a real API server that only its host reaches, behind SSH, with the certificates that hosts get. */
import { once } from 'node:events';
import type { Material } from '../../controllers/clusterpki/material.ts';
import type { Clock } from '../../controllers/lib/core/clock.ts';
import { systemClock } from '../../controllers/lib/core/clock.ts';
import { Sealed } from '../../controllers/lib/core/sealed.ts';
import type { Kind, KubeClient } from '../../controllers/lib/kube/client.ts';
import { KubeError } from '../../controllers/lib/kube/kube-error.ts';
import type { TargetAccess } from '../../controllers/lib/target/access.ts';
import { eventually } from '../support/eventually.ts';
import { issueAll, newMaterial } from '../support/pki.ts';
import { subject } from '../support/pki-subject.ts';
import { type RealPki, startRealPki } from '../support/real-pki.ts';
import { type ScriptedFleet, startScriptedHosts } from '../support/ssh-server/scripted-hosts.ts';
import { startTargets, type TestTargets } from '../support/targets.ts';

let material: Material;
let real: RealPki;
let fleet: ScriptedFleet;
let targets: TestTargets;

beforeAll(async () => {
  material = await newMaterial('ECDSA-P256');
  real = await startRealPki(subject, material, await issueAll(subject, material, 'ECDSA-P256'));
  fleet = await startScriptedHosts({ count: 2 });
}, 180_000);
afterAll(async () => {
  await fleet?.close();
  await real?.[Symbol.asyncDispose]();
});
beforeEach(() => {
  targets = startTargets();
  for (const host of fleet.hosts) host.ports.set(6443, real.port);
});
afterEach(() => targets[Symbol.asyncDispose]());

const access = (changes: Partial<TargetAccess> = {}): TargetAccess => {
  const hosts = fleet.hosts.map((host, index) => ({
    node: `node${index + 1}`,
    target: {
      poolKey: host.name,
      host: host.address,
      port: host.port,
      user: 'root',
      privateKey: new Sealed(fleet.privateKey),
      hostKeys: [host.hostKey],
      trustFirstKey: false,
    },
  }));
  const ways = hosts.map((one) => ({ kind: 'SSH' as const, ...one, address: '127.0.0.1', port: 6443 }));
  return {
    key: 'u',
    cluster: 'fleet/demo',
    hosts,
    ways,
    authority: material.authorities.cluster,
    ...changes,
  };
};

const signal = AbortSignal.timeout(250_000);
type Review = {
  status: { userInfo: { username: string; groups: string[]; extra?: Record<string, string[]> } };
};
const review = async (client: KubeClient): Promise<Review['status']['userInfo']> => {
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
  const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
  return ((await client.raw('POST', path, { signal, body })) as Review).status.userInfo;
};
const credential = async (client: KubeClient): Promise<string> =>
  (await review(client)).extra?.['authentication.kubernetes.io/credential-id']?.[0] ?? '';
const failure = async (promise: Promise<unknown>): Promise<KubeError> => {
  const error = await promise.then(
    () => 'it succeeded',
    (reason: unknown) => reason,
  );
  if (error instanceof KubeError) return error;
  throw error;
};
const ready = (client: KubeClient) => client.raw('GET', '/readyz', { signal });

const bindings: Kind = {
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'ClusterRoleBinding',
  plural: 'clusterrolebindings',
  namespaced: false,
  parse: (raw) => raw as never,
};

test('asks the API server as the operator, over one SSH connection', async () => {
  const client = targets.client(access());
  expect(await ready(client)).toBe('ok');
  expect(await client.raw('GET', '/version', { signal })).toMatchObject({ major: '1' });
  const { username, groups } = await review(client);
  expect({ username, groups }).toEqual({
    username: 'firn:operator',
    groups: ['firn:cluster-admins', 'system:authenticated'],
  });
  expect(fleet.hosts.map(({ connections }) => connections)).toEqual([1, 0]);
  expect(targets.client(access())).toBe(client);
});

test('has no rights but those that it gives itself as one of system:masters', async () => {
  const client = targets.client(access());
  expect(await failure(client.list(bindings, { signal }))).toMatchObject({ status: 403 });
  const groups = await targets.asFounder(access(), async (founder) => {
    await founder.apply(
      bindings,
      {
        metadata: { namespace: '', name: 'firn:cluster-admins' },
        roleRef: { apiGroup: bindings.group, kind: 'ClusterRole', name: 'cluster-admin' },
        subjects: [{ apiGroup: bindings.group, kind: 'Group', name: 'firn:cluster-admins' }],
      },
      { signal, fieldManager: 'firn-nixcluster' },
    );
    return (await review(founder)).groups;
  });
  expect(groups).toContain('system:masters');
  await eventually(async () =>
    expect((await client.list(bindings, { signal })).items.length).toBeGreaterThan(10),
  );
  const taken = {
    ...bindings,
    subjects: undefined,
    metadata: { namespace: '', name: 'firn:cluster-admins' },
  };
  const path = `/apis/${bindings.group}/v1/clusterrolebindings/firn:cluster-admins`;
  const body = {
    apiVersion: `${bindings.group}/v1`,
    kind: taken.kind,
    metadata: { name: 'firn:cluster-admins', labels: { a: 'b' } },
  };
  expect(
    await client.raw('PATCH', path, {
      signal,
      body,
      contentType: 'application/apply-patch+yaml',
      query: { fieldManager: 'other', force: 'false' },
    }),
  ).toMatchObject({ metadata: { labels: { a: 'b' } } });
});

test('goes through another node where the first has no API server, and stays there', async () => {
  fleet.hosts[0]!.ports.set(6443, 1);
  const client = targets.client(access());
  expect(await ready(client)).toBe('ok');
  const before = fleet.hosts[1]!.connections;
  expect(before).toBeGreaterThan(0);
  fleet.hosts[1]!.ports.set(6443, 1);
  for (const host of fleet.hosts) host.cut();
  const error = await failure(ready(client));
  expect(error).toMatchObject({ status: 0, reason: 'Unreachable' });
  expect(error.words).toMatch(
    /^kube-apiserver on node1 does not answer: .* opens no connection to 127\.0\.0\.1 port 6443: .*; kube-apiserver on node2 /,
  );
  fleet.hosts[0]!.ports.set(6443, real.port);
  await eventually(async () => expect(await ready(client)).toBe('ok'));
});

test('tells a host that is not reached from an API server that is not', async () => {
  const { hosts, ways } = access();
  const away = (one: (typeof hosts)[number]) => ({
    ...one,
    target: { ...one.target, port: 1, poolKey: 'x' },
  });
  const [way] = ways.slice(0, 1).map((one) => ('node' in one ? { ...one, ...away(one) } : one));
  const error = await failure(ready(targets.client(access({ ways: [way!] }))));
  expect(error.words).toBe('the host of node1 is not reached: 127.0.0.1 port 1 refuses connections');
});

test('says nothing to a server that another authority vouches for, and means nothing to it', async () => {
  const other = (await newMaterial('ECDSA-P256')).authorities.cluster;
  const stranger = { ...other, trust: material.authorities.cluster.trust };
  const untrusted = await failure(ready(targets.client(access({ authority: other }))));
  expect(untrusted.words).toContain("its certificate is not of the cluster's authority");
  const unknown = await failure(ready(targets.client(access({ key: 'v', authority: stranger }))));
  expect(unknown).toMatchObject({ status: 401 });
  const elsewhere = { kind: 'Direct' as const, host: '127.0.0.1', port: real.port };
  expect(await ready(targets.client(access({ key: 'w', ways: [elsewhere] })))).toBe('ok');
  const misnamed = { kind: 'Direct' as const, host: 'localhost.localdomain', port: real.port };
  const wrong = await failure(ready(targets.client(access({ key: 'x', ways: [misnamed] }))));
  expect(wrong.words).toMatch(/its certificate is for another name|has no address/);
});

test('follows the API server through its absence, and a cut of the way', async () => {
  const client = targets.client(access());
  expect(await ready(client)).toBe('ok');
  await real.killApiserver();
  expect((await failure(ready(client))).status).toBe(0);
  expect((await failure(ready(client))).words).toContain('kube-apiserver on node1 does not answer');
  await real.startApiserver();
  await eventually(async () => expect(await ready(client)).toBe('ok'));
  for (const host of fleet.hosts) host.cut();
  await eventually(async () => expect(await ready(client)).toBe('ok'));
});

test('renews its certificate at half its life, and when the authority is another one', async () => {
  let offsetMs = -13 * 3600_000;
  const clock: Clock = { now: () => Date.now() + offsetMs, after: systemClock.after };
  await using old = startTargets(clock);
  const client = old.client(access());
  const first = await credential(client);
  expect(first).toMatch(/^X509SHA256=/);
  expect(await credential(client)).toBe(first);
  offsetMs = 0;
  const second = await credential(client);
  expect(second).not.toBe(first);
  expect(await credential(client)).toBe(second);
  const { cluster } = material.authorities;
  await credential(old.client(access({ authority: { ...cluster, fingerprint: 'another' } })));
  expect(await credential(client)).not.toBe(second);
});

test('streams to what a node itself reaches, and keeps nothing when it ends', async () => {
  const { target } = access().hosts[1]!;
  const stream = await targets.hosts.forward(target, { host: '127.0.0.1', port: real.port }, signal);
  const closed = once(stream, 'close');
  stream.destroy();
  await closed;
  expect(() => targets.etcd(access(), 'node9')).toThrow('node9 is no control-plane node');
  await targets[Symbol.asyncDispose]();
  await eventually(() => expect(fleet.hosts.map(({ connections }) => connections)).toEqual([0, 0]));
});
