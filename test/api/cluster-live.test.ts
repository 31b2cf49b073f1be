/** What the operator does inside of a cluster: it gives rights, follows Nodes and tends them, and says how all is. */
import { eventually } from '../support/eventually.ts';
import { expectHonestStatus } from '../support/honest-status.ts';
import { type LiveCluster, startLiveCluster } from '../support/live-cluster.ts';
import { conditionIn, nodeIn, type SeenCluster } from '../support/nixclusters.ts';
import type { Fields } from '../support/play.ts';

const namespace = 'live';
/** The machine may be busy, and a watch waits up to half a minute before it tries again. */
const patienceMs = 60_000;
let live: LiveCluster;

beforeAll(async () => {
  live = await startLiveCluster(namespace, {
    node1: ['control-plane'],
    node2: ['worker'],
    node3: ['frontend'],
  });
}, 180_000);
afterAll(async () => {
  await live?.[Symbol.asyncDispose]();
});

const seen = async (look: (cluster: SeenCluster) => void): Promise<void> =>
  eventually(async () => {
    const cluster = await live.play.get(namespace);
    expectHonestStatus(cluster);
    look(cluster);
  }, patienceMs);
const place = (cluster: SeenCluster, name: string) =>
  cluster.status.nodes?.find((node) => node.name === name);

test('says which API server does not answer, and why', async () => {
  await seen((cluster) =>
    expect(conditionIn(cluster, 'ApiAvailable')).toMatchObject({
      status: 'False',
      reason: 'ApiUnreachable',
      message: expect.stringMatching(
        /^kube-apiserver on node1 does not answer: .* opens no connection to 127\.0\.0\.1 port 6443/,
      ),
    }),
  );
});

test('gives the first rights when it answers, and says what it found', async () => {
  live.serve('api');
  await seen((cluster) => {
    expect(conditionIn(cluster, 'ApiAvailable')).toMatchObject({ status: 'True', message: '' });
    expect(conditionIn(cluster, 'NodesReady')).toMatchObject({
      reason: 'NodesNotReady',
      message:
        'not ready: node1 (no Node yet: its kubelet has not registered); node2 (no Node yet: its kubelet has not registered)',
    });
    expect(cluster.status.api?.version).toMatch(/^v1\./);
    expect(cluster.status.version).toBe(cluster.status.api!.version);
    expect(cluster.status.api!.latencyMs).toBeGreaterThan(0);
  });
  const { status, body } = await live.send('GET', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings');
  expect(status).toBe(200);
  const names = (body.items as { metadata: { name: string } }[]).map(({ metadata }) => metadata.name);
  expect(names.filter((name) => name.startsWith('firn:'))).toEqual([
    'firn:cluster-admins',
    'firn:coredns',
    'firn:flannel',
    'firn:kubelet-api',
  ]);
  const events = await live.play.kubectl(['get', 'events', '-n', namespace, '-o', 'json']);
  expect(events).toContain('RightsGiven');
});

test('a Node that registers is labelled, tainted and given its subnets, and its version told', async () => {
  await live.registers('node1', 'True', {
    metadata: { labels: { 'example.com/mine': 'yes' } },
  });
  await live.registers('node2', 'True');
  await seen((cluster) => {
    expect(conditionIn(cluster, 'NodesReady')).toMatchObject({ status: 'True', message: '' });
    expect(place(cluster, 'node1')?.node).toEqual({
      ready: true,
      reason: 'NodeReady',
      message: '',
      version: 'v1.36.1',
      taints: ['node-role.kubernetes.io/control-plane:NoSchedule'],
    });
    expect(place(cluster, 'node3')?.node).toBeUndefined();
    expect(cluster.status.version).toBe('v1.36.1');
  });
  const node1 = await live.node('node1');
  expect(node1.metadata.labels).toMatchObject({
    'example.com/mine': 'yes',
    'node-role.kubernetes.io/control-plane': '',
  });
  expect(node1.spec).toMatchObject({
    podCIDRs: ['fd88:1::/32', '10.88.1.0/24'],
    // The API server's own stays.
    taints: [
      { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' },
      { key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' },
    ],
  });
  expect((await live.node('node2')).metadata.labels).toEqual({ 'node-role.kubernetes.io/worker': '' });
});

test('labels and taints of the spec come and go, and those of others stay', async () => {
  const node2 = live.fleet.hosts[1]!;
  const ssh = {
    host: node2.address,
    port: node2.port,
    keyRef: { name: 'deploy-key' },
    hostKeys: [node2.hostKey],
  };
  const asks = (kubernetes: Fields) =>
    live.play.apply([nodeIn(namespace, 'node2', { roles: ['worker'], ssh, kubernetes })]);
  await live.send('PATCH', '/api/v1/nodes/node2', {
    spec: { taints: [{ key: 'example.com/theirs', value: 'x', effect: 'NoExecute' }], unschedulable: true },
  });
  await asks({
    labels: { 'example.com/disk': 'fast' },
    taints: [{ key: 'example.com/ours', value: 'a', effect: 'NoSchedule' }],
  });
  const found = async (look: (node: Fields & { metadata: Fields; spec: Fields }) => void) =>
    eventually(async () => look(await live.node('node2')), patienceMs);
  await found(({ metadata, spec }) => {
    expect(metadata.labels).toEqual({ 'example.com/disk': 'fast', 'node-role.kubernetes.io/worker': '' });
    expect(spec.taints).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ key: 'example.com/theirs', value: 'x', effect: 'NoExecute' }),
        { key: 'example.com/ours', value: 'a', effect: 'NoSchedule' },
      ]),
    );
  });
  await seen((cluster) =>
    expect(place(cluster, 'node2')?.node?.taints).toEqual(['example.com/ours:NoSchedule']),
  );
  // Somebody removes a label and changes a taint of ours: they come back.
  await live.send('PATCH', '/api/v1/nodes/node2', { metadata: { labels: { 'example.com/disk': null } } });
  await found(({ metadata }) => expect(metadata.labels).toHaveProperty(['example.com/disk'], 'fast'));
  await asks({});
  await found(({ metadata, spec }) => {
    expect(metadata.labels).toEqual({ 'node-role.kubernetes.io/worker': '' });
    expect((spec.taints as { key: string }[]).map(({ key }) => key)).not.toContain('example.com/ours');
    expect((spec.taints as { key: string }[]).map(({ key }) => key)).toContain('example.com/theirs');
    expect(spec.unschedulable).toBe(true);
  });
  await seen((cluster) => expect(place(cluster, 'node2')?.node?.taints).toBeUndefined());
});

test('a Node that falls ill is told at once, in its own words, however it says it', async () => {
  const hostile = `down\u001b[31m\n${'x'.repeat(5000)}`;
  const conditions = [{ type: 'Ready', status: 'Unknown', reason: 'Kubelet.Stopped', message: hostile }];
  await live.send('PATCH', '/api/v1/nodes/node2/status', { status: { conditions } });
  await seen((cluster) => {
    const { node } = place(cluster, 'node2')!;
    expect(node).toMatchObject({ ready: false, reason: 'NodeNotReady' });
    expect(node!.message).toMatch(/^down\[31m x+/);
    expect(Buffer.byteLength(node!.message)).toBeLessThanOrEqual(1024);
    expect(conditionIn(cluster, 'NodesReady')?.message).toMatch(/^not ready: node2 \(NodeNotReady: down/);
  });
  const ready = [{ type: 'Ready', status: 'True', reason: 'KubeletReady', message: '' }];
  await live.send('PATCH', '/api/v1/nodes/node2/status', { status: { conditions: ready } });
  await seen((cluster) =>
    expect(conditionIn(cluster, 'NodesReady')).toMatchObject({ status: 'True', message: '' }),
  );
});

test('a Node with other subnets is said, and one that is deleted is waited for', async () => {
  await live.send('DELETE', '/api/v1/nodes/node2');
  await seen((cluster) => {
    expect(place(cluster, 'node2')?.node).toBeUndefined();
    expect(conditionIn(cluster, 'NodesReady')?.message).toContain('node2 (no Node yet');
  });
  await live.send('POST', '/api/v1/nodes', {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'node2' },
    spec: { podCIDR: '10.1.0.0/24', podCIDRs: ['10.1.0.0/24'] },
  });
  await seen((cluster) =>
    expect(place(cluster, 'node2')?.node).toMatchObject({
      ready: false,
      reason: 'PodCIDRsDiffer',
      message: expect.stringContaining('delete the Node object'),
    }),
  );
  await live.send('DELETE', '/api/v1/nodes/node2');
  await live.registers('node2', 'True');
  await seen((cluster) =>
    expect(conditionIn(cluster, 'NodesReady')).toMatchObject({ status: 'True', message: '' }),
  );
});

test('a Node that never stands still is written to all the same', async () => {
  const node2 = live.fleet.hosts[1]!;
  const ssh = {
    host: node2.address,
    port: node2.port,
    keyRef: { name: 'deploy-key' },
    hostKeys: [node2.hostKey],
  };
  let beats = 0;
  let isDone = false;
  const beating = (async () => {
    while (!isDone) {
      const annotations = { beat: String(beats++) };
      await live.send('PATCH', '/api/v1/nodes/node2', { metadata: { annotations } });
    }
  })();
  const kubernetes = { taints: [{ key: 'example.com/moving', effect: 'NoSchedule' }] };
  await live.play.apply([nodeIn(namespace, 'node2', { roles: ['worker'], ssh, kubernetes })]);
  await eventually(async () => {
    const { taints = [] } = (await live.node('node2')).spec as { taints?: { key: string }[] };
    expect(taints.map(({ key }) => key)).toContain('example.com/moving');
  }, patienceMs);
  isDone = true;
  await beating;
  expect(beats).toBeGreaterThan(3);
});

test('rights that somebody takes or changes come back', async () => {
  const path = '/apis/rbac.authorization.k8s.io/v1';
  const subjects = async (name: string) =>
    (
      (await live.send('GET', `${path}/clusterrolebindings/${name}`)).body as {
        subjects?: { name: string }[];
      }
    ).subjects;
  await live.send('PATCH', `${path}/clusterrolebindings/firn:kubelet-api`, { subjects: [] });
  await eventually(
    async () =>
      expect(await subjects('firn:kubelet-api')).toMatchObject([{ name: 'kube-apiserver-kubelet-client' }]),
    patienceMs,
  );
  await live.send('DELETE', `${path}/clusterrolebindings/firn:cluster-admins`);
  await eventually(async () => expect(await subjects('firn:cluster-admins')).toHaveLength(1), patienceMs);
  await seen((cluster) =>
    expect(conditionIn(cluster, 'ApiAvailable')).toMatchObject({ status: 'True', message: '' }),
  );
});

test('an API server that goes away is noticed without being asked, and so is its return', async () => {
  await live.real.killApiserver();
  await seen((cluster) =>
    expect(conditionIn(cluster, 'ApiAvailable')).toMatchObject({ status: 'False', reason: 'ApiUnreachable' }),
  );
  await live.real.startApiserver();
  await seen((cluster) =>
    expect(conditionIn(cluster, 'ApiAvailable')).toMatchObject({ status: 'True', message: '' }),
  );
  await live.send('PATCH', '/api/v1/nodes/node1', {
    metadata: { labels: { 'node-role.kubernetes.io/control-plane': null } },
  });
  await eventually(
    async () =>
      expect((await live.node('node1')).metadata.labels).toHaveProperty([
        'node-role.kubernetes.io/control-plane',
      ]),
    patienceMs,
  );
});

test('a cluster that is deleted is followed no longer', async () => {
  await live.play.kubectl(['delete', 'nixcluster', 'demo', '-n', namespace]);
  await eventually(
    () => expect(live.fleet.hosts.map(({ connections }) => connections)).toEqual([0, 0, 0]),
    patienceMs,
  );
});
