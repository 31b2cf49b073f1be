/**
 * A change of all nodes of docs/examples/03 under a Deployment of two, one that fails, and nodes that leave, join and die:
 * on booted hosts, by the operator.
 */
import type { NixClusterStatus } from '../../crds/index.ts';
import { startAsking } from '../support/busy-client.ts';
import { apply, conditionOf, findNode, getNode, namespace, waitForNode } from '../support/fleet.ts';
import {
  applyExample,
  exampleOf,
  fitted,
  type KubernetesCluster,
  kubectl,
  nodesOf,
  startKubernetesHosts,
  waitForNodes,
} from '../support/kubernetes-cluster.ts';
import { findObject, waitForObject } from '../support/objects.ts';
import { startServing } from '../support/serving.ts';
import { waitFor } from '../support/wait.ts';

const example = exampleOf('03-primary-and-workers.yaml');
const names = nodesOf(example);
const [first = '', second = '', third = ''] = names;
let cluster: KubernetesCluster;

type Written = { kind: string; metadata: { name: string }; spec: { [field: string]: unknown } };
/** No taints of the example, so that pods have two nodes to be on. */
const objects = (): object[] =>
  (fitted(example, cluster) as Written[]).map((object) =>
    object.kind === 'NixNode'
      ? { ...object, spec: { ...object.spec, kubernetes: {}, deletionPolicy: 'Reset' } }
      : object,
  );
const nodeObject = (name: string, spec: object = {}): object => {
  const object = (objects() as Written[]).find(
    ({ kind, metadata }) => kind === 'NixNode' && metadata.name === name,
  )!;
  return { ...object, spec: { ...object.spec, ...spec } };
};
const change = (inline: string): Promise<void> =>
  apply(cluster.booted.cluster, {
    apiVersion: 'firn.dev/v1alpha1',
    kind: 'NixModule',
    metadata: { name: 'change', namespace },
    spec: { inline },
  });
const deleteNode = async (name: string): Promise<void> => {
  const { code, stderr } = await cluster.booted.cluster.kubectl([
    'delete',
    'nixnode',
    name,
    '-n',
    namespace,
    '--wait=false',
  ]);
  if (code !== 0) throw new Error(stderr);
};
const isGone = (name: string) => async () => (await findNode(cluster.booted.cluster, name)) === undefined;
const gone = (name: string, withinMs: number) =>
  waitFor(`${name} is gone`, isGone(name), {
    withinMs,
    everyMs: 500,
    otherwise: async () => (await findNode(cluster.booted.cluster, name))?.status?.conditions,
  });
const clusterSays = (what: string, fits: (status: NixClusterStatus) => boolean, withinMs: number) =>
  waitForObject<NixClusterStatus>(
    ...([cluster.booted.cluster, 'nixclusters', 'demo', what] as const),
    ({ status }) => status !== undefined && fits(status),
    withinMs,
  );
const rolledOut = (status: NixClusterStatus) => status.conditions?.find(({ type }) => type === 'RolledOut');

beforeAll(async () => {
  cluster = await startKubernetesHosts(names);
}, 600_000);
afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]();
}, 120_000);

test('three nodes, and a Deployment of two', async () => {
  await applyExample(cluster, objects());
  await waitForNodes(cluster, first, 3, 400_000);
  await startServing(cluster, first);
  await clusterSays('rolled out', (status) => rolledOut(status)?.status === 'True', 120_000);
}, 700_000);

const podsOf = `${kubectl} get pods -l app=web -o 'jsonpath={range .items[*]}{.metadata.uid} {.status.containerStatuses[0].containerID}{"\\n"}{end}' | sort`;

test('a change reaches one node after the other, the control plane first, and pods go on', async () => {
  const pods = await cluster.on(first).run(podsOf);
  const asking = await startAsking(cluster.on(first));
  const order: string[] = [];
  let together = 0;
  await change('{ environment.etc."rolled".text = "once"; }');
  await clusterSays(
    'the change is everywhere',
    (status) => {
      const changing = (status.nodes ?? [])
        .filter(({ granted }) => granted !== undefined)
        .map(({ name }) => name);
      together = Math.max(together, changing.length);
      for (const name of changing) if (!order.includes(name)) order.push(name);
      return order.length === 3 && changing.length === 0 && rolledOut(status)?.status === 'True';
    },
    300_000,
  );
  const counts = await asking.stop();
  console.info(`during a roll-out: ${JSON.stringify(counts)}, in the order ${order.join(', ')}`);
  expect({ order, together }).toEqual({ order: names, together: 1 });
  for (const name of names) expect(await cluster.on(name).run('cat /etc/rolled')).toBe('once');
  expect(counts.unanswered).toEqual([]);
  expect(await cluster.on(first).run(podsOf)).toBe(pods);
}, 400_000);

test('a change that fails gets no further than one node, and the next one goes there first', async () => {
  const broken =
    'systemd.services.broken = { wantedBy = [ "multi-user.target" ]; serviceConfig = { Type = "oneshot"; ExecStart = "/bin/false"; }; };';
  await change(`{ environment.etc."rolled".text = "twice"; ${broken} }`);
  const { status } = await clusterSays(
    'it is held',
    (one) => rolledOut(one)?.reason === 'RolloutHeld',
    300_000,
  );
  expect(status!.nodes?.map(({ name, rollout }) => [name, rollout?.state])).toEqual([
    [first, 'Held'],
    [second, 'Waiting'],
    [third, 'Waiting'],
  ]);
  for (const name of names) expect(await cluster.on(name).run('cat /etc/rolled')).toBe('once');
  expect(conditionOf(await getNode(cluster.booted.cluster, second), 'Applied')?.message).toContain(
    `waits for the roll-out of cluster demo: release`,
  );
  await change('{ environment.etc."rolled".text = "twice"; }');
  const isTwice = async (name: string) =>
    (await cluster.on(name).attempt('cat /etc/rolled')).stdout.trim() === 'twice';
  await waitFor(
    'the repair is everywhere',
    async () => (await Promise.all(names.map(isTwice))).every(Boolean),
    {
      withinMs: 300_000,
      everyMs: 1_000,
      otherwise: async () =>
        (await findObject(cluster.booted.cluster, 'nixclusters', 'demo'))?.status?.conditions,
    },
  );
}, 700_000);

test('a node that leaves hands over its pods first, and nothing is left on its host', async () => {
  await clusterSays('rolled out', (status) => rolledOut(status)?.status === 'True', 120_000);
  const asking = await startAsking(cluster.on(first));
  await deleteNode(third);
  await gone(third, 240_000);
  const counts = await asking.stop();
  console.info(`while a node left: ${JSON.stringify(counts)}`);
  expect(counts.unanswered).toEqual([]);
  const on = cluster.on(first);
  expect(await on.run(`${kubectl} get nodes -o name`)).toBe(`node/${first}\nnode/${second}`);
  expect(await on.run(`${kubectl} get pods -l app=web -o 'jsonpath={.items[*].spec.nodeName}'`)).toBe(
    `${second} ${second}`,
  );
  expect(
    (await cluster.on(third).attempt('[ -e /var/lib/firn ] || systemctl is-active kubelet')).code,
  ).not.toBe(0);
}, 400_000);

test('one that joins costs the others no more than a file', async () => {
  const systems = async () =>
    Promise.all([first, second].map((name) => cluster.on(name).run('readlink /run/current-system')));
  const before = await systems();
  await apply(cluster.booted.cluster, nodeObject(third, { deletionTimeout: '20s' }));
  await waitForNodes(cluster, first, 3, 300_000);
  expect(await systems()).toEqual(before);
}, 400_000);

test('one that is dead is removed, and its pods start elsewhere', async () => {
  await waitForNode(
    cluster.booted.cluster,
    third,
    'deployed',
    (node) => conditionOf(node, 'Applied')?.status === 'True',
    120_000,
  );
  await cluster.host(third).powerCut();
  const on = cluster.on(first);
  await on.eventually(
    'its Node is not ready',
    `! ${kubectl} wait --for=condition=Ready node/${third} --timeout=1s`,
    120_000,
  );
  await deleteNode(third);
  await gone(third, 180_000);
  expect(await on.run(`${kubectl} get nodes -o name`)).toBe(`node/${first}\nnode/${second}`);
  await on.eventually('its pods', `${kubectl} rollout status deployment web --timeout=1s`, 120_000);
}, 500_000);
