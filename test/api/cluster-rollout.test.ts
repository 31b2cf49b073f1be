/**
 * A roll-out over a cluster whose API is a real one, and nodes that leave it. Hosts say what a test has them say; Nodes and
 * pods are made by hand, and pods end when the test has them end, where there would be kubelets.
 */
import { eventually } from '../support/eventually.ts';
import { expectHonestStatus } from '../support/honest-status.ts';
import { type LiveCluster, startLiveCluster } from '../support/live-cluster.ts';
import { conditionIn, type SeenCluster, truth } from '../support/nixclusters.ts';
import type { Fields } from '../support/play.ts';

const namespace = 'rolling';
let live: LiveCluster;

beforeAll(async () => {
  live = await startLiveCluster(namespace, {
    node1: ['control-plane'],
    node2: ['worker'],
    node3: ['worker'],
  });
  live.serve('api');
  await seen((cluster) => expect(conditionIn(cluster, 'ApiAvailable')).toMatchObject({ status: 'True' }));
  for (const name of ['node1', 'node2', 'node3']) await live.registers(name, 'True');
  await expectOk('POST', '/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'default' } });
  await seen((cluster) => expect(conditionIn(cluster, 'NodesReady')).toMatchObject({ status: 'True' }));
}, 180_000);
afterAll(async () => {
  await live?.[Symbol.asyncDispose]();
});

const seen = async (look: (cluster: SeenCluster) => void): Promise<void> =>
  eventually(async () => {
    const cluster = await live.play.get(namespace);
    expectHonestStatus(cluster);
    look(cluster);
  }, 60_000);
const place = (cluster: SeenCluster, name: string) =>
  cluster.status.nodes?.find((node) => node.name === name);

async function expectOk(method: string, path: string, body?: object): Promise<void> {
  const answer = await live.send(method, path, body);
  expect({ path, status: answer.status < 300, body: answer.status < 300 ? '' : answer.body }).toEqual({
    ...{ path, status: true, body: '' },
  });
}

const podPath = '/api/v1/namespaces/default/pods';
async function newPod(name: string, nodeName: string): Promise<void> {
  await expectOk('POST', podPath, {
    metadata: { name },
    spec: { nodeName, automountServiceAccountToken: false, containers: [{ name: 'main', image: 'none' }] },
  });
  await expectOk('PATCH', `${podPath}/${name}/status`, { status: { phase: 'Running' } });
}
const podEnds = (name: string) => expectOk('DELETE', `${podPath}/${name}?gracePeriodSeconds=0`);

/** As the controller manager does, once it has seen that a Node is closed. */
const isNoticed = (name: string) =>
  expectOk('PATCH', `/api/v1/nodes/${name}`, {
    spec: { taints: [{ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }] },
  });

const [old, next, fix] = ['aaaaaaaaaaaa', 'bbbbbbbbbbbb', 'cccccccccccc'];
const well = [truth('Ready'), truth('Reachable'), truth('Healthy')];
const hostSays = (name: string, release: Fields, conditions: Fields[] = well) =>
  live.play.hostSays(namespace, name, { release: { current: old, confirmed: old, ...release }, conditions });
const wants = (desired: string | undefined, more: Fields = {}) => ({
  desired,
  class: 'system',
  built: true,
  ...more,
});
const runs = (release: string | undefined) => ({ current: release, confirmed: release, desired: release });

test('a node is emptied, changed and opened, and the next one waits for that', async () => {
  await newPod('web', 'node2');
  await hostSays('node2', wants(next, { stopsPods: true }));
  await hostSays('node3', wants(next));
  await seen((cluster) =>
    expect(place(cluster, 'node2')?.rollout?.message).toContain('no controller manager has noticed it yet'),
  );
  await isNoticed('node2');
  await seen((cluster) => {
    expect(place(cluster, 'node2')).toMatchObject({
      rollout: { state: 'Draining', message: 'node2 is drained: 1 pod is left: default/web (it ends)' },
    });
    expect(place(cluster, 'node2')).not.toHaveProperty('granted');
    expect(place(cluster, 'node3')?.rollout).toEqual({ state: 'Waiting', message: 'node2 is being changed' });
    expect(conditionIn(cluster, 'RolledOut')).toMatchObject({
      ...{ status: 'False', reason: 'RollingOut' },
      message:
        '1 of 3 nodes run what they should: node2 is drained: 1 pod is left: default/web (it ends); node2 is being changed',
    });
  });
  expect((await live.node('node2')).spec).toMatchObject({ unschedulable: true });

  await podEnds('web');
  await seen((cluster) =>
    expect(place(cluster, 'node2')).toMatchObject({ granted: next, rollout: { state: 'Changing' } }),
  );
  expect((await live.node('node2')).spec).toMatchObject({ unschedulable: true });

  await hostSays('node2', runs(next));
  await seen((cluster) => {
    expect(place(cluster, 'node2')).not.toHaveProperty('rollout');
    expect(place(cluster, 'node3')).toMatchObject({ granted: next, rollout: { state: 'Changing' } });
  });
  await eventually(async () => expect((await live.node('node2')).spec).not.toHaveProperty('unschedulable'));
  // Its pods go on: it is not closed.
  expect((await live.node('node3')).spec).not.toHaveProperty('unschedulable');
});

test('where a release fails nobody else gets it, and the next one goes there first', async () => {
  const failed = [
    truth('Ready', 'False', 'UnitsFailed'),
    truth('Reachable'),
    truth('Applied', 'False', 'UnitsFailed'),
    truth('Stalled', 'True', 'UnitsFailed'),
  ];
  await hostSays('node3', wants(next), failed);
  await hostSays('node2', { ...runs(next), ...wants(fix) });
  await seen((cluster) => {
    expect(conditionIn(cluster, 'RolledOut')).toMatchObject({ status: 'False', reason: 'RolloutHeld' });
    expect(place(cluster, 'node3')?.rollout?.state).toBe('Held');
    expect(place(cluster, 'node2')?.rollout).toEqual({
      state: 'Waiting',
      message: `release ${next} failed on node3 (UnitsFailed)`,
    });
  });
  await hostSays('node3', wants(fix));
  await seen((cluster) => {
    expect(place(cluster, 'node3')).toMatchObject({ granted: fix, rollout: { state: 'Changing' } });
    expect(place(cluster, 'node2')?.rollout?.state).toBe('Waiting');
  });
  await hostSays('node3', runs(fix));
  await seen((cluster) => expect(place(cluster, 'node2')).toMatchObject({ granted: fix }));
  await hostSays('node2', runs(fix));
  await seen((cluster) => expect(conditionIn(cluster, 'RolledOut')).toMatchObject({ status: 'True' }));
});

/** The object stays until the test lets it go, as it does until nixnode has seen to its host. */
async function deleteNode(name: string): Promise<void> {
  const hold = JSON.stringify({ metadata: { finalizers: ['test.firn.dev/hold'] } });
  await live.play.kubectl(['patch', 'nixnode', name, '-n', namespace, '--type=merge', '-p', hold]);
  await live.play.kubectl(['delete', 'nixnode', name, '-n', namespace, '--wait=false']);
}

test('a node that leaves is emptied, and its Node deleted', async () => {
  await newPod('last', 'node2');
  await deleteNode('node2');
  await seen((cluster) => {
    expect(place(cluster, 'node2')?.departure).toMatchObject({
      stage: 'Draining',
      message: 'node2 is drained: 1 pod is left: default/last (it ends); after 15m it goes all the same',
    });
    expect(conditionIn(cluster, 'RolledOut')?.message).toMatch(/^node2 leaves: node2 is drained/);
  });
  await podEnds('last');
  await seen((cluster) => expect(place(cluster, 'node2')?.departure?.stage).toBe('Done'));
  expect((await live.send('GET', '/api/v1/nodes/node2')).status).toBe(404);
});

test('a dead one leaves without', async () => {
  await newPod('lost', 'node3');
  const conditions = [{ type: 'Ready', status: 'Unknown', reason: 'NodeStatusUnknown' }];
  await expectOk('PATCH', '/api/v1/nodes/node3/status', { status: { conditions } });
  await seen((cluster) => expect(place(cluster, 'node3')?.node?.ready).toBe(false));
  await deleteNode('node3');
  await seen((cluster) => expect(place(cluster, 'node3')?.departure?.stage).toBe('Done'));
  expect((await live.send('GET', '/api/v1/nodes/node3')).status).toBe(404);
});

test('the last control-plane node stays', async () => {
  await deleteNode('node1');
  await seen((cluster) => {
    const { departure } = place(cluster, 'node1')!;
    expect(departure).toMatchObject({ stage: 'Draining', guarded: true });
    expect(departure!.message).toContain('node1 is the last control-plane node of cluster demo');
    expect(conditionIn(cluster, 'RolledOut')).toMatchObject({ reason: 'RolloutHeld' });
  });
  expect((await live.send('GET', '/api/v1/nodes/node1')).status).toBe(200);
});
