/** Nodes of a real API server are closed, emptied and opened. No kubelet runs there: that pods end is the test's part. */
import { systemClock } from '../../controllers/lib/core/clock.ts';
import { KubeClient } from '../../controllers/lib/kube/client.ts';
import { kubeConfigFrom } from '../../controllers/lib/kube/config.ts';
import type { DrainPolicy } from '../../controllers/nixcluster/rollout/drain.ts';
import {
  type Api,
  closedNodes,
  deleteNode,
  emptyNode,
  openNode,
} from '../../controllers/nixcluster/rollout/empty-node.ts';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';

type Fields = { [field: string]: unknown };

let cluster: TestCluster;
let client: KubeClient;
const controller = new AbortController();
const policy: DrainPolicy = { timeoutMs: 600_000, budgets: 'Respect' };
const start = Date.parse('2026-11-21T10:00:00Z');
const api = (now = start): Api => ({ client, signal: controller.signal, now });

beforeAll(async () => {
  cluster = await startTestCluster();
  client = new KubeClient(kubeConfigFrom(cluster.kubeconfig), systemClock);
  await kubectl(['create', 'namespace', 'pods']);
  await kubectl(['create', 'serviceaccount', 'default', '-n', 'pods']);
});
afterAll(async () => {
  controller.abort();
  await client?.close();
  await cluster?.stop();
});

async function kubectl(args: string[], object?: Fields): Promise<string> {
  const { stdout, stderr, code } = await cluster.kubectl(args, object && JSON.stringify(object));
  expect({ args, code, stderr: code === 0 ? '' : stderr }).toEqual({ args, code: 0, stderr: '' });
  return stdout;
}
const create = (object: Fields) => kubectl(['create', '-f', '-'], object);
/** What the controller manager says of a Node that is closed. */
const noticed = [{ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }];
const newNode = (name: string, spec: Fields = {}) =>
  create({ apiVersion: 'v1', kind: 'Node', metadata: { name }, spec: { taints: noticed, ...spec } });
const nodeNamed = async (name: string) => JSON.parse(await kubectl(['get', 'node', name, '-o', 'json']));

/** With the status that a kubelet writes: budgets are about pods that run. */
async function newPod(name: string, nodeName: string, metadata: Fields = {}, spec: Fields = {}) {
  await create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'pods', ...metadata },
    spec: {
      ...{ nodeName, automountServiceAccountToken: false, terminationGracePeriodSeconds: 1 },
      containers: [{ name: 'main', image: 'none' }],
      ...spec,
    },
  });
  const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
  const patch = JSON.stringify({ status });
  await kubectl(['patch', 'pod', name, '-n', 'pods', '--subresource=status', '--type=merge', '-p', patch]);
}
const ownedBy = (kind: string) => ({
  ownerReferences: [{ apiVersion: 'apps/v1', kind, name: 'x', uid: '1', controller: true }],
});
/** As a kubelet does when a container has ended. */
const ended = (...names: string[]) =>
  kubectl(['delete', 'pod', '-n', 'pods', '--force', '--grace-period=0', ...names]);
const podsOn = async (node: string): Promise<string[]> => {
  const found = await kubectl(['get', 'pods', '-A', `--field-selector=spec.nodeName=${node}`, '-o', 'name']);
  return found.split('\n').filter(Boolean);
};

/** The disruption controller's part: how many more may go. */
async function newBudget(name: string, app: string, disruptionsAllowed: number): Promise<void> {
  await create({
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name, namespace: 'pods' },
    spec: { minAvailable: 1, selector: { matchLabels: { app } } },
  });
  await allow(name, disruptionsAllowed);
}
const allow = (name: string, disruptionsAllowed: number) =>
  kubectl([
    ...['patch', 'pdb', name, '-n', 'pods', '--subresource=status', '--type=merge', '-p'],
    JSON.stringify({
      status: {
        disruptionsAllowed,
        currentHealthy: 1,
        desiredHealthy: 1,
        expectedPods: 1,
        observedGeneration: 1,
      },
    }),
  ]);

test('a Node is closed, its pods evicted, and it opens again', async () => {
  await newNode('a');
  await newPod('web', 'a', ownedBy('ReplicaSet'), { volumes: [{ name: 'scratch', emptyDir: {} }] });
  await newPod('alone', 'a');
  await newPod('agent', 'a', ownedBy('DaemonSet'));
  await newPod('mirror', 'a', { annotations: { 'kubernetes.io/config.mirror': 'x' } });

  expect(await emptyNode('a', policy, api())).toEqual({
    empty: false,
    overdue: false,
    says: '2 pods are left: pods/alone (it ends), pods/web (it ends)',
  });
  const { metadata, spec } = await nodeNamed('a');
  expect(spec).toMatchObject({ unschedulable: true });
  expect(metadata.annotations).toMatchObject({ 'firn.dev/drain-started': '2026-11-21T10:00:00Z' });
  expect((await closedNodes(api())).map((node) => node.metadata.name)).toEqual(['a']);

  await ended('web', 'alone');
  expect(await emptyNode('a', policy, api(start + 60_000))).toMatchObject({ empty: true });
  expect(await podsOn('a')).toEqual(['pod/agent', 'pod/mirror']);

  const [node] = await closedNodes(api());
  await openNode(node!, api());
  const after = await nodeNamed('a');
  expect(after.spec.unschedulable).toBeUndefined();
  expect(JSON.stringify(after.metadata)).not.toContain('firn.dev');
  expect(await closedNodes(api())).toEqual([]);
});

test('no pod is evicted before the controller manager is seen at work, but for one that is late', async () => {
  await newNode('early', { taints: [] });
  await newPod('first', 'early', ownedBy('ReplicaSet'));
  const says = 'no controller manager has noticed it yet, which is to replace its pods';
  for (const now of [start, start + 2_000])
    expect(await emptyNode('early', policy, api(now))).toEqual({ empty: false, overdue: false, says });
  expect((await nodeNamed('early')).spec.unschedulable).toBe(true);
  await kubectl(['patch', 'node', 'early', '-p', JSON.stringify({ spec: { taints: noticed } })]);
  const ends = { empty: false, says: '1 pod is left: pods/first (it ends)' };
  expect(await emptyNode('early', policy, api(start + 4_000))).toMatchObject(ends);
  await ended('first');

  await newNode('late', { taints: [] });
  await newPod('second', 'late', ownedBy('ReplicaSet'));
  expect(await emptyNode('late', policy, api())).toMatchObject({ empty: false, says });
  expect(await emptyNode('late', policy, api(start + 600_000))).toMatchObject({
    ...{ empty: false, overdue: true, says: '1 pod is left: pods/second (it ends)' },
  });
  await ended('second');
});

test('a budget holds a pod until it allows it to go, and is named', async () => {
  await newNode('b');
  await newPod('db', 'b', { labels: { app: 'db' }, ...ownedBy('StatefulSet') });
  await newBudget('of-db', 'db', 0);
  const held = '1 pod is left: pods/db (PodDisruptionBudget of-db)';
  expect(await emptyNode('b', policy, api())).toEqual({ empty: false, overdue: false, says: held });
  expect(await emptyNode('b', policy, api(start + 600_000))).toEqual({
    empty: false,
    overdue: true,
    says: held,
  });
  await allow('of-db', 1);
  expect(await emptyNode('b', policy, api(start + 700_000))).toMatchObject({
    empty: false,
    says: '1 pod is left: pods/db (it ends)',
  });
  await ended('db');
  expect((await emptyNode('b', policy, api(start + 700_000))).empty).toBe(true);
});

test('where budgets are to be ignored, they are when the time is over', async () => {
  await newNode('c');
  await newPod('kept', 'c', { labels: { app: 'kept' } });
  await newBudget('of-kept', 'kept', 0);
  const ignore: DrainPolicy = { ...policy, budgets: 'Ignore' };
  expect((await emptyNode('c', ignore, api())).says).toContain('PodDisruptionBudget of-kept');
  expect(await emptyNode('c', ignore, api(start + 600_000))).toMatchObject({
    empty: false,
    says: '1 pod is left: pods/kept (it ends)',
  });
  const pod = JSON.parse(await kubectl(['get', 'pod', 'kept', '-n', 'pods', '-o', 'json']));
  expect(pod.metadata.deletionTimestamp).toBeDefined();
  const end = Date.parse(pod.metadata.deletionTimestamp);
  expect((await emptyNode('c', ignore, api(end))).empty).toBe(false);
  expect((await emptyNode('c', ignore, api(end + 1000))).empty).toBe(true);
  await ended('kept');
});

test('a Node that a person closed stays closed', async () => {
  await newNode('d', { unschedulable: true });
  expect((await emptyNode('d', policy, api())).empty).toBe(true);
  const [node] = await closedNodes(api()).then((all) => all.filter(({ metadata }) => metadata.name === 'd'));
  await openNode(node!, api());
  const { metadata, spec } = await nodeNamed('d');
  expect(spec.unschedulable).toBe(true);
  expect(JSON.stringify(metadata)).not.toContain('firn.dev');
});

test('whoever comes next goes on with the time of who began', async () => {
  await newNode('e');
  await newPod('slow', 'e', { finalizers: ['test.firn.dev/hold'] });
  await emptyNode('e', policy, api());
  await kubectl(['uncordon', 'e']);
  expect(await emptyNode('e', policy, api(start + 600_000))).toMatchObject({ empty: false, overdue: true });
  expect((await nodeNamed('e')).spec.unschedulable).toBe(true);
});

test('a Node is deleted, and one that is gone is as good', async () => {
  await deleteNode('e', api());
  await deleteNode('e', api());
  expect((await cluster.kubectl(['get', 'node', 'e'])).code).toBe(1);
  expect(await emptyNode('e', policy, api())).toEqual({ empty: true, overdue: false, says: '' });
});
