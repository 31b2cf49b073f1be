/** One minor up, against a real API server: hosts say what they run, and follow what is decided, one by one. */
import type { ComponentVersions, KubernetesSource } from '../../crds/index.ts';
import { eventually } from '../support/eventually.ts';
import { expectHonestStatus } from '../support/honest-status.ts';
import {
  type ClusterPlay,
  clusterIn,
  conditionIn,
  nodeIn,
  startClusterPlay,
} from '../support/nixclusters.ts';
import type { Fields } from '../support/play.ts';

const namespace = 'rising';
const names = ['node1', 'node2', 'node3', 'worker'];
const pinned = (digit: string) => ({
  url: 'github:NixOS/nixpkgs/nixos-26.05',
  rev: digit.repeat(40),
  narHash: `sha256-${digit.repeat(43)}=`,
});
const nixpkgs = pinned('a');

let play: ClusterPlay;
const wants = (version: string, kubernetes: Fields = {}) =>
  clusterIn(namespace, {}, { nixpkgs, kubernetes: { version, ...kubernetes } });
const apply = (object: Fields) => play.kubectl(['apply', '--server-side', '-f', '-'], object);

/** The host of a node runs what its cluster decided for it; `sources` are what it was built from. */
async function follow(name: string): Promise<void> {
  const { status } = await play.get(namespace);
  const versions = status.nodes!.find((node) => node.name === name)!.kubernetes!;
  const used = new Set(Object.values(versions));
  const sources = status.kubernetes!.sources!.filter(({ version }) => used.has(version));
  await runs(name, versions, sources);
}

const runs = (name: string, versions: ComponentVersions, sources: KubernetesSource[]) =>
  play.hostSays(namespace, name, {
    member: { cluster: 'demo', index: names.indexOf(name) + 1, kubernetes: { versions, sources } },
  });

const seen = async () => {
  const cluster = await play.get(namespace);
  const { kubernetes, nodes = [] } = cluster.status;
  const told = Object.fromEntries(nodes.map(({ name, kubernetes }) => [name, kubernetes]));
  return { cluster, kubernetes, told, upgraded: conditionIn(cluster, 'Upgraded') };
};

const all = (version: string): ComponentVersions => ({
  etcd: version,
  apiServer: version,
  controllers: version,
  kubelet: version,
});

beforeAll(async () => {
  play = await startClusterPlay();
  await play.newNamespace(namespace);
  await play.apply([
    wants('1.36'),
    ...names.map((name) => nodeIn(namespace, name, name === 'worker' ? {} : { roles: ['control-plane'] })),
  ]);
  for (const name of names) await play.hostSays(namespace, name, {});
}, 120_000);

afterAll(async () => {
  await play?.stop();
});

test('a new cluster is told what is wanted, from the nixpkgs of its systems', async () => {
  await eventually(async () => {
    const { told, kubernetes, upgraded } = await seen();
    expect(told).toMatchObject({ node1: all('1.36'), worker: { kubelet: '1.36' } });
    expect(kubernetes?.sources).toMatchObject([{ version: '1.36', url: nixpkgs.url }]);
    expect(upgraded).toMatchObject({ status: 'True' });
  });
  for (const name of names) await follow(name);
  await eventually(async () => expect((await seen()).kubernetes?.version).toBe('1.36'));
});

test.each([
  ['two minors at once', '1.38'],
  ['a step back', '1.35'],
])('%s is refused when it is applied', async (_, version) => {
  const dryRun = ['apply', '--server-side', '--dry-run=server', '-f', '-'];
  expect(await play.refusal(dryRun, wants(version))).toMatch(/moves one minor at a time, and never back/);
});

test('a version that comes from nowhere new moves nobody', async () => {
  await apply(wants('1.37'));
  await eventually(async () => {
    const { upgraded, told, cluster } = await seen();
    expect(upgraded).toMatchObject({ status: 'False', reason: 'KubernetesNotInNixpkgs' });
    expect(told.node1).toEqual(all('1.36'));
    expectHonestStatus(cluster);
  });
});

test('groups of components move one after the other, each on all nodes', async () => {
  await apply(wants('1.37', { nixpkgs: pinned('b') }));
  const stages: string[] = [];
  for (const stage of ['etcd', 'apiServer', 'controllers', 'kubelet'] as const) {
    await eventually(async () => {
      const { kubernetes, upgraded } = await seen();
      expect(kubernetes).toMatchObject({ stage, target: '1.37' });
      expect(upgraded).toMatchObject({ status: 'False', reason: 'Upgrading' });
    });
    stages.push((await seen()).upgraded!.message);
    const movers = stage === 'kubelet' ? names : names.filter((name) => name !== 'worker');
    for (const name of movers) {
      // Nobody moves on before the last one has come.
      if (name !== 'node1') expect((await seen()).kubernetes?.stage).toBe(stage);
      await follow(name);
    }
  }
  await eventually(async () => {
    const { kubernetes, told, upgraded } = await seen();
    expect(kubernetes).toMatchObject({ version: '1.37', sources: [{ version: '1.37' }] });
    expect(kubernetes?.stage).toBeUndefined();
    expect(told).toMatchObject({ node1: all('1.37'), worker: { kubelet: '1.37' } });
    expect(upgraded).toMatchObject({ status: 'True' });
  });
  expect(stages[1]).toContain(
    'API servers 0/3 (waits for node1, node2, node3), then controllers, then kubelets',
  );
  await eventually(async () => {
    const events = await play.kubectl([
      'get',
      'events',
      '-n',
      namespace,
      '-o',
      'jsonpath={.items[*].message}',
    ]);
    expect(events).toContain('Kubernetes goes to 1.37: API servers');
    expect(events).toContain('Kubernetes is 1.37 on all nodes');
  });
});

test('made anew with an older version, it stays at what hosts run, and says so', async () => {
  await play.kubectl(['delete', 'nixcluster', 'demo', '-n', namespace]);
  await apply(wants('1.36', { nixpkgs: pinned('a') }));
  await eventually(async () => {
    const { upgraded, told, kubernetes } = await seen();
    expect(upgraded).toMatchObject({ status: 'False', reason: 'KubernetesGoesBack' });
    expect(told).toMatchObject({ node1: all('1.37'), worker: { kubelet: '1.37' } });
    expect(kubernetes?.sources?.find(({ version }) => version === '1.37')?.locked).toContain('b'.repeat(40));
  });
});
