/** A cluster's ground from `kubectl apply` to Ready, on scripted hosts: network, mesh and certificates together. */
import { createHash, X509Certificate } from 'node:crypto';
import { type Clock, systemClock } from '../../controllers/lib/core/clock.ts';
import type { ClusterPKIStatus, NixClusterStatus, WireguardMeshStatus } from '../../crds/index.ts';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { installFirn, type RunningFirn, startFirn } from '../support/firn.ts';
import {
  apply,
  conditionOf,
  findNode,
  getNode,
  isDeployed,
  namespace,
  sshKeySecret,
  waitForNode,
} from '../support/fleet.ts';
import {
  clusterManifest,
  clusterName,
  memberManifest,
  meshManifest,
  pkiManifest,
} from '../support/ground.ts';
import { isGrounded, isHeldUpBy, isWell, waitForObject } from '../support/objects.ts';
import {
  type ScriptedFleet,
  type ScriptedHost,
  startScriptedHosts,
} from '../support/ssh-server/scripted-hosts.ts';
import { waitFor } from '../support/wait.ts';

let cluster: TestCluster;
let operator: RunningFirn;
let fleet: ScriptedFleet;

const names = ['node1', 'node2', 'node3'];
/** Of node5, in milliseconds. */
let ahead = 365 * 86_400_000;
const wrongClock: Clock = { ...systemClock, now: () => systemClock.now() + ahead };
const hostOf = (name: string): ScriptedHost => fleet.hosts[Number(name.slice(4)) - 1]!;
const member = (name: string, spec: object = {}): object => memberManifest(name, hostOf(name), spec);
const members = (): object[] => [
  member('node1', { roles: ['control-plane'], index: 1 }),
  member('node2'),
  member('node3', { mesh: { behindNAT: true } }),
];

beforeAll(async () => {
  cluster = await startTestCluster();
  await installFirn(cluster);
  operator = await startFirn(cluster);
  fleet = await startScriptedHosts({
    count: 5,
    script: (index) => (index === 4 ? { clock: wrongClock } : {}),
  });
  await apply(cluster, sshKeySecret(fleet.privateKey));
}, 120_000);

afterAll(async () => {
  await operator?.stop();
  await fleet?.close();
  await cluster?.stop();
});

const nixCluster = (what: string, fits: Parameters<typeof waitForObject<NixClusterStatus>>[4] = isGrounded) =>
  waitForObject<NixClusterStatus>(cluster, 'nixclusters', clusterName, what, fits);
const mesh = (what: string, fits: Parameters<typeof waitForObject<WireguardMeshStatus>>[4] = isWell) =>
  waitForObject<WireguardMeshStatus>(cluster, 'wireguardmeshes', clusterName, what, fits, 60_000);
const pki = (
  what: string,
  fits: Parameters<typeof waitForObject<ClusterPKIStatus>>[4] = isWell,
  withinMs = 60_000,
) => waitForObject<ClusterPKIStatus>(cluster, 'clusterpkis', clusterName, what, fits, withinMs);

const callsOf = (name: string, subcommand: string): number =>
  hostOf(name).calls.filter((call) => call.subcommand === subcommand).length;
/** Those that evaluated something: a system that is there is taken as it is. */
const buildsOf = (name: string): number => hostOf(name).state.counts.builds;
const kubectl = async (...args: string[]): Promise<string> => {
  const { code, stdout, stderr } = await cluster.kubectl([...args, '-n', namespace]);
  if (code !== 0) throw new Error(stderr);
  return stdout;
};

test('three nodes become a cluster: numbers, mesh and certificates', async () => {
  await apply(cluster, clusterManifest(), meshManifest(), pkiManifest(), ...members());
  for (const name of names) await waitForNode(cluster, name, 'deployed', isDeployed);
  const { status } = await nixCluster('grounded');
  expect(status?.nodes?.map(({ name, index, addresses }) => [name, index, addresses])).toEqual([
    ['node1', 1, ['fd88:1::1', '10.88.1.1']],
    ['node2', 2, ['fd88:2::1', '10.88.2.1']],
    ['node3', 3, ['fd88:3::1', '10.88.3.1']],
  ]);
  await mesh('connected', (object) => object.status?.connected === '3/3');
  const keys = await pki(
    'all certificates',
    (object) => isWell(object) && (object.status?.certificates ?? 0) > 10,
  );
  expect(keys.status?.nextExpiryIn).toMatch(/^(89|90)d$/);
});

/** Until nothing is under way any more: what the mesh and the certificates ask of hosts follows from what they said. */
const calm = async (all = names): Promise<void> => {
  for (const name of all) await waitForNode(cluster, name, 'deployed', isDeployed);
  await nixCluster('grounded');
};

test('kubectl shows it as the example says', async () => {
  await calm();
  const rows = async (kind: string) =>
    (await kubectl('get', kind)).split('\n').map((row) => row.trimEnd().replaceAll(/ {2,}/g, '  '));
  expect((await rows('nixnodes'))[1]).toMatch(
    /^node1 {2}control-plane {2}1 {2}False {2}WaitingForNode {2}[0-9a-f]{12} {2}/,
  );
  expect((await rows('nixnodes'))[2]).toMatch(/^node2 {2}worker {2}2 {2}False {2}WaitingForNode {2}/);
  expect((await rows('wireguardmeshes')).slice(0, 2)).toEqual([
    'NAME  NODES  CONNECTED  READY  STATUS  AGE',
    expect.stringMatching(/^demo {2}3 {2}3\/3 {2}True {2}Connected {2}/),
  ]);
  expect((await rows('clusterpkis')).slice(0, 2)).toEqual([
    'NAME  AUTHORITIES  CERTIFICATES  NEXT-EXPIRY  READY  STATUS  AGE',
    expect.stringMatching(/^demo {2}3 {2}\d+ {2}(89|90)d {2}True {2}Valid {2}/),
  ]);
  expect((await rows('nixclusters'))[1]).toMatch(
    /^demo {2}0\/3 {2}False {2}\S+ {2}https:\/\/test-kube\.example\.com:6443 {2}/,
  );
});

test('one nixpkgs was resolved, by one host, for all', async () => {
  expect(names.map((name) => callsOf(name, 'resolve')).sort()).toEqual([0, 0, 1]);
  const locked = (await nixCluster('pinned')).status?.nixpkgs?.locked;
  for (const name of names) expect((await getNode(cluster, name)).status?.nixpkgs?.locked).toBe(locked);
});

test("a host has its own certificates, and nobody else's", async () => {
  const { secrets, releases, current } = stateOf('node2');
  expect(current).toBeDefined();
  const texts = [...secrets.values()].map((content) => Buffer.from(content as Uint8Array).toString());
  const certificates = texts
    .filter((text) => text.startsWith('-----BEGIN CERTIFICATE'))
    .map((text) => new X509Certificate(text))
    .filter((certificate) => !certificate.ca);
  const subjects = certificates.map(({ subject }) => subject.replaceAll('\n', ', '));
  expect(subjects).toContain('O=system:nodes, CN=system:node:node2');
  expect(subjects.filter((subject) => /kube-apiserver$|scheduler|controller-manager/.test(subject))).toEqual(
    [],
  );
  expect(releases).toBeGreaterThan(0);
});

/** What a scripted host has staged of the release that runs. */
function stateOf(name: string) {
  const { state } = hostOf(name);
  const release = state.releases.get(state.current ?? '');
  const part = state.stored.secrets.get(release?.parts.secrets ?? '') as ReadonlyMap<string, unknown>;
  return { secrets: part, releases: state.releases.size, current: state.current };
}

test('a fourth node costs the three others a file each: nothing is evaluated, no key is made', async () => {
  const before = await Promise.all(names.map((name) => getNode(cluster, name)));
  const builds = names.map(buildsOf);
  await apply(cluster, member('node4'));
  await waitForNode(cluster, 'node4', 'deployed', isDeployed);
  await mesh('connected', (object) => object.status?.connected === '4/4');
  const after = await Promise.all(
    names.map((name, at) =>
      waitForNode(
        cluster,
        name,
        'new data',
        (node) => isDeployed(node) && node.status?.parts?.data !== before[at]!.status?.parts?.data,
      ),
    ),
  );
  after.forEach((node, at) => {
    expect(node.status?.parts?.system).toBe(before[at]!.status?.parts?.system);
    expect(node.status?.mesh?.keys).toEqual(before[at]!.status?.mesh?.keys);
    expect(node.status?.pki?.nextExpiry).toBe(before[at]!.status?.pki?.nextExpiry);
  });
  expect(names.map(buildsOf)).toEqual(builds);
});

test('keys of the mesh are rotated on request, without a build', async () => {
  const builds = names.map(buildsOf);
  const [before] = await Promise.all([getNode(cluster, 'node1')]);
  await apply(cluster, meshManifest({ keyRotation: { request: 'one' } }));
  const rotated = await mesh(
    'rotated',
    (object) => object.status?.epoch === 2 && !object.status.rotation && isWell(object),
  );
  expect(rotated.status?.request).toBe('one');
  const node = await waitForNode(cluster, 'node1', 'new key', ({ status }) => status?.mesh?.active === 2);
  expect(node.status?.mesh?.keys.map(({ epoch }) => epoch)).toEqual([2]);
  expect(node.status?.mesh?.keys[0]?.publicKey).not.toBe(before!.status?.mesh?.keys[0]?.publicKey);
  expect(names.map(buildsOf)).toEqual(builds);
});

test('authorities are rotated in stages, up to what only a cluster that runs can say, and back', async () => {
  const before = (await pki('before')).status?.authorities;
  await apply(cluster, pkiManifest({ rotate: { authority: 'one' } }));
  const rotated = await pki(
    'rotated',
    (object) =>
      object.status?.rotation?.[0]?.stage === 'Reissue' &&
      object.status.rotation[0].waitsFor?.startsWith('the API of the cluster') === true &&
      object.status.authorities?.[0]?.fingerprint !== before?.[0]?.fingerprint,
    // An API server that never answered counts as lost after two minutes: then etcd's part goes on without it.
    240_000,
  );
  const fingerprintIn = (all: readonly { name: string; fingerprint: string }[] = []) =>
    all.find(({ name }) => name === 'cluster')?.fingerprint;
  const node = await getNode(cluster, 'node1');
  expect(fingerprintIn(node.status?.pki?.authorities)).toBe(fingerprintIn(rotated.status?.authorities));
  // Nothing of it was dropped, so it can be taken back; those that no pod trusts are over by now.
  await apply(cluster, pkiManifest({ rotate: { authority: 'one', abort: 'one' } }));
  const back = await pki(
    'taken back',
    (object) => isWell(object) && !object.status?.rotation?.length,
    240_000,
  );
  expect(fingerprintIn(back.status?.authorities)).toBe(fingerprintIn(before));
  const trusted = new Map(
    (back.status?.authorities ?? []).map(({ name, fingerprint }) => [
      `${name}-trust`,
      createHash('sha256').update(fingerprint).digest('hex'),
    ]),
  );
  await waitForNode(
    ...([cluster, 'node1', 'nobody else is trusted'] as const),
    ({ status }) => {
      const trusts = status?.pki?.authorities.filter(({ name }) => trusted.has(name)) ?? [];
      return (
        trusts.length === 3 && trusts.every(({ name, fingerprint }) => fingerprint === trusted.get(name))
      );
    },
    60_000,
  );
}, 500_000);

test('objects that are created anew find numbers, keys and pin where hosts have them', async () => {
  const all = ['node1', 'node2', 'node3', 'node4'];
  await calm(all);
  const before = (await nixCluster('before')).status;
  const keysBefore = (await mesh('before')).status?.nodes;
  const prints = (await pki('before')).status?.authorities?.map(({ fingerprint }) => fingerprint);
  await operator.stop();
  for (const name of all) {
    await kubectl('patch', 'nixnode', name, '--type=merge', '-p', '{"metadata":{"finalizers":null}}');
    await kubectl('delete', 'nixnode', name);
  }
  for (const kind of ['nixcluster', 'wireguardmesh', 'clusterpki']) {
    await kubectl('patch', kind, clusterName, '--type=merge', '-p', '{"metadata":{"finalizers":null}}');
    await kubectl('delete', kind, clusterName);
  }
  operator = await startFirn(cluster);
  // In another order, with the first of them last: who comes first would get the lowest number.
  await apply(
    cluster,
    pkiManifest(),
    meshManifest(),
    clusterManifest(),
    member('node4'),
    member('node3', { mesh: { behindNAT: true } }),
  );
  await apply(cluster, member('node2'), member('node1', { roles: ['control-plane'] }));
  for (const name of all) await waitForNode(cluster, name, 'deployed', isDeployed);
  const after = (await nixCluster('after')).status;
  expect(after?.nodes?.map(({ name, index }) => [name, index])).toEqual(
    before?.nodes?.map(({ name, index }) => [name, index]),
  );
  expect(after?.nixpkgs?.locked).toBe(before?.nixpkgs?.locked);
  const keys = await mesh('after', (object) => object.status?.connected === '4/4');
  expect(keys.status?.nodes?.map(({ name, keys: own }) => [name, own])).toEqual(
    keysBefore?.map(({ name, keys: own }) => [name, own]),
  );
  expect((await pki('after')).status?.authorities?.map(({ fingerprint }) => fingerprint)).toEqual(prints);
});

test('the number of a node that left after a reset is given again, that of an orphan is not', async () => {
  await apply(cluster, member('node4', { deletionPolicy: 'Reset' }));
  await waitForNode(cluster, 'node4', 'deployed', isDeployed);
  await kubectl('delete', 'nixnode', 'node4', '--wait=false');
  await waitFor('node4 is gone', async () => (await findNode(cluster, 'node4')) === undefined);
  const freed = await nixCluster('without node4', (object) => object.status?.nodes?.length === 3);
  expect(freed.status?.retiredIndexes ?? []).toEqual([]);
  await calm(['node1', 'node2', 'node3']);
  await kubectl('delete', 'nixnode', 'node3', '--wait=false');
  await waitFor('node3 is gone', async () => (await findNode(cluster, 'node3')) === undefined);
  const retired = await nixCluster('without node3', (object) => object.status?.nodes?.length === 2);
  expect(retired.status?.retiredIndexes).toEqual([expect.objectContaining({ index: 3, name: 'node3' })]);
});

test('a host whose clock is a year ahead gets nothing before it is right, and nobody else suffers', async () => {
  await apply(cluster, member('node5'));
  const wrong = await waitForNode(
    cluster,
    'node5',
    'ClockSkewed',
    (node) => conditionOf(node, 'Ready')?.reason === 'ClockSkewed',
  );
  expect(conditionOf(wrong, 'Ready')?.message).toMatch(/minutes ahead of the operator's; set it/);
  expect(callsOf('node5', 'stage')).toBe(0);
  for (const name of ['node1', 'node2'])
    expect(
      (await waitForNode(cluster, name, 'deployed', isDeployed)).status?.pki?.certificates,
    ).toBeGreaterThan(0);
  ahead = 0;
  // It is looked at again in half a minute; a change of the object is sooner.
  await apply(cluster, member('node5', { deploy: { confirmWithin: '79s' } }));
  await waitForNode(cluster, 'node5', 'deployed', isDeployed, 60_000);
});

test('a port that is taken is said by the mesh, with the host and what has it', async () => {
  hostOf('node5').state.mesh.problem =
    'the UDP port 51820 of wgkube cannot be listened on, "dnsmasq",pid=77 has it';
  await apply(cluster, member('node5', { deploy: { confirmWithin: '80s' } }));
  const troubled = await mesh('MeshProblem', isHeldUpBy('MeshProblem'));
  const ready = troubled.status?.conditions?.find(({ type }) => type === 'Ready');
  expect(ready?.message).toMatch(/node5.*51820.*dnsmasq/);
  hostOf('node5').state.mesh.problem = '';
  await apply(cluster, member('node5', { deploy: { confirmWithin: '81s' } }));
  await mesh('connected again');
});

test('no host was told two things at once', () => {
  for (const host of fleet.hosts) expect(host.violations).toEqual([]);
});
