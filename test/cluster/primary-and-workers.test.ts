/** docs/examples/03 on three hosts: a tainted primary, two workers, a mesh between them; then a fourth node joins. */

import type { NixClusterStatus } from '../../crds/index.ts';
import { apply, isReady, waitForNode } from '../support/fleet.ts';
import type { Asking } from '../support/hosts/asking.ts';
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
import { isWell, waitForObject } from '../support/objects.ts';
import { type Outside, outside } from '../support/outside.ts';
import { daemonSet, list, pod, serve, service, wait } from '../support/pods.ts';
import { standingOf } from '../support/standing.ts';
import { waitFor } from '../support/wait.ts';

const example = exampleOf('03-primary-and-workers.yaml');
const names = nodesOf(example);
const [primary = '', dedicated = '', ordinary = ''] = names;
const joiner = 'node4';
let cluster: KubernetesCluster;
let admin: Outside;
const on = (name: string): Asking => cluster.on(name);

beforeAll(async () => {
  cluster = await startKubernetesHosts([...names, joiner]);
  const begun = performance.now();
  await applyExample(cluster, fitted(example, cluster));
  await waitForNodes(cluster, primary, 3, 300_000);
  console.info(
    `three Nodes are ready ${((performance.now() - begun) / 1000).toFixed(1)} s after kubectl apply`,
  );
  admin = await outside(cluster.host(primary), 'test-kube.example.com');
}, 700_000);
afterAll(async () => {
  admin?.[Symbol.dispose]();
  await cluster?.[Symbol.asyncDispose]();
}, 240_000);

const json = async (script: string) => JSON.parse(await on(primary).run(`${kubectl} ${script} -o json`));

test('Nodes have the labels, taints and addresses that NixNodes say', async () => {
  const node = async (name: string) => json(`get node ${name}`);
  // What Kubernetes says of a Node that was not ready until now goes by itself.
  const taintsOf = async (name: string) =>
    ((await node(name)).spec.taints ?? []).filter(
      ({ key }: { key: string }) => !key.startsWith('node.kubernetes.io/'),
    );
  expect(await taintsOf(primary)).toEqual([
    { key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' },
  ]);
  expect((await node(dedicated)).metadata.labels).toMatchObject({ disk: 'ssd' });
  expect(await taintsOf(dedicated)).toEqual([{ key: 'dedicated', value: 'db', effect: 'NoSchedule' }]);
  expect(await taintsOf(ordinary)).toEqual([]);
  const { status } = await node(ordinary);
  const addresses = status.addresses.filter(({ type }: { type: string }) => type === 'InternalIP');
  expect(addresses.map(({ address }: { address: string }) => address)).toEqual(['10.88.3.1', 'fd88:3::1']);
});

type Pod = {
  metadata: { name: string };
  spec: { nodeName: string };
  status: { podIPs: { ip: string }[] };
};
const podsOf = async (app: string): Promise<Pod[]> => (await json(`get pods -l app=${app}`)).items;
const tolerating = { tolerations: [{ key: 'dedicated', operator: 'Exists' }] };
const exec = (of: string, command: string): string => `${kubectl} exec ${of} -- ${command}`;
const bracketed = (ip: string): string => (ip.includes(':') ? `[${ip}]` : ip);

test('pods of different hosts reach each other over both families; the primary takes none', async () => {
  const everywhere = daemonSet('web', serve, tolerating);
  await on(primary).run(
    `${kubectl} apply -f -`,
    list(everywhere, service('web', { type: 'NodePort' }, { nodePort: 30_080 })),
  );
  const rolledOut = `${kubectl} rollout status daemonset/web --timeout=1s`;
  await on(primary).eventually('pods', rolledOut, 120_000);
  const pods = await podsOf('web');
  expect(pods.map(({ spec }) => spec.nodeName).sort()).toEqual([dedicated, ordinary]);
  for (const from of pods)
    for (const to of pods)
      for (const { ip } of to.status.podIPs) {
        const ask = exec(from.metadata.name, `wget -q -O - -T 3 http://${bracketed(ip)}:8080`);
        expect(await on(primary).eventually(`${ip} from ${from.spec.nodeName}`, ask, 30_000)).toBe(
          to.metadata.name,
        );
      }
  expect(new Set(pods.flatMap(({ status }) => status.podIPs.map(({ ip }) => ip.includes(':'))))).toEqual(
    new Set([true, false]),
  );
});

/** Who answers, each once. */
const answers = async (host: Asking, ask: string): Promise<string[]> => {
  const many = `for i in $(seq 24); do ${ask}; echo; done`;
  return [...new Set((await host.run(many)).split(/\s+/).filter((word) => word !== ''))].sort();
};

test('a ClusterIP and a NodePort balance over the pods of both hosts', async () => {
  const pods = (await podsOf('web')).map(({ metadata }) => metadata.name).sort();
  await on(primary).run(`${kubectl} apply -f -`, list(pod('client', wait)));
  await on(primary).eventually(
    'a client',
    `${kubectl} wait --for=condition=Ready pod/client --timeout=1s`,
    60_000,
  );
  const byName = exec('client', 'wget -q -O - -T 3 http://web.default.svc.k8s.internal');
  await on(primary).eventually('an answer', byName, 60_000);
  expect(await answers(on(primary), byName)).toEqual(pods);
  for (const name of names) {
    const [index] = name.match(/\d+$/)!;
    const ask = `busybox wget -q -O - -T 3 http://10.88.${index}.1:30080`;
    const from = on(name === primary ? ordinary : primary);
    await from.eventually(`an answer of ${name}`, ask, 60_000);
    expect(await answers(from, ask)).toEqual(pods);
  }
});

test('every host resolves services', async () => {
  const address = await on(primary).run(`${kubectl} get service web -o jsonpath={.spec.clusterIP}`);
  for (const name of names)
    expect(await on(name).run('resolvectl query --legend=no web.default.svc.k8s.internal')).toContain(
      address,
    );
});

test('logs, exec and port-forward work through the endpoint, from outside', async () => {
  const [web] = (await podsOf('web')).filter(({ spec }) => spec.nodeName === dedicated);
  const { name } = web!.metadata;
  await on(primary).run(
    `${kubectl} apply -f -`,
    list(pod('speaker', `echo heard; ${wait}`, { nodeName: ordinary })),
  );
  await waitFor('a log', async () => (await admin.kubectl(['logs', 'speaker'])).stdout === 'heard\n', {
    withinMs: 60_000,
  });
  expect((await admin.kubectl(['exec', name, '--', 'cat', '/etc/hostname'])).stdout.trim()).toBe(name);
  const forward = admin.start(['port-forward', `pod/${name}`, '18080:8080']);
  try {
    const answer = await waitFor('an answer', async () => {
      const response = await fetch('http://127.0.0.1:18080').catch(() => undefined);
      return response && (await response.text()).trim();
    });
    expect(answer).toBe(name);
  } finally {
    forward.kill();
  }
});

test('Secrets are encrypted in etcd', async () => {
  await on(primary).run(
    `${kubectl} create secret generic canary --from-literal=word=a-word-that-is-looked-for`,
  );
  expect((await on(primary).attempt('grep -rqa a-word-that-is-looked-for /var/lib/etcd')).code).toBe(1);
  expect((await on(primary).attempt('grep -rqa k8s:enc:secretbox: /var/lib/etcd')).code).toBe(0);
});

test('upstream finds nothing wrong', async () => {
  const verbose = await on(primary).run(`${kubectl} get --raw '/readyz?verbose'`);
  expect(verbose.split('\n').filter((line) => line.startsWith('[-]'))).toEqual([]);
});

test('the objects in the bootstrap cluster say so', async () => {
  const { cluster: bootstrap } = cluster.booted;
  for (const name of names) await waitForNode(bootstrap, name, 'Ready', isReady, 120_000);
  const of = await waitForObject<NixClusterStatus>(bootstrap, 'nixclusters', 'demo', 'Ready', isWell, 60_000);
  expect(of.status).toMatchObject({ members: '3/3' });
});

test('a fourth node joins: the others evaluate nothing and restart nothing', async () => {
  const before = await Promise.all(names.map((name) => standingOf(on(name))));
  const [, , worker] = fitted(example.filter(({ kind }) => kind === 'NixNode').map(asJoiner), cluster);
  await apply(cluster.booted.cluster, worker!);
  const ready = `${kubectl} wait --for=condition=Ready node/${joiner} --timeout=1s`;
  await on(primary).eventually('its Node', ready, 300_000);
  await on(primary).run(`${kubectl} apply -f -`, list(pod('new', serve, { nodeName: joiner })));
  await on(primary).eventually(
    'its pod',
    `${kubectl} wait --for=condition=Ready pod/new --timeout=1s`,
    60_000,
  );
  const [there] = await podsOf('new');
  for (const { ip } of there!.status.podIPs) {
    const ask = exec('client', `wget -q -O - -T 3 http://${bracketed(ip)}:8080`);
    expect(await on(primary).eventually(`an answer of ${ip}`, ask, 60_000)).toBe('new');
  }
  await waitForNode(cluster.booted.cluster, joiner, 'Ready', isReady, 120_000);
  expect(await Promise.all(names.map((name) => standingOf(on(name))))).toEqual(before);
}, 600_000);

/** The last of the example's nodes under another name; without NAT, so that it is dialled as well. */
function asJoiner(node: (typeof example)[number]): (typeof example)[number] {
  const { mesh: _, index: __, ...spec } = node.spec;
  return { ...node, metadata: { ...node.metadata, name: joiner }, spec };
}
