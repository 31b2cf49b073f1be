/** docs/examples/04 on three IPv6-only hosts: all of them serve, and one of them is switched off without warning. */
import type { NixClusterStatus } from '../../crds/index.ts';
import { accepts } from '../support/accepts.ts';
import { startWriting } from '../support/busy-client.ts';
import { isReady, waitForNode } from '../support/fleet.ts';
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
import { daemonSet, list, serve, service } from '../support/pods.ts';

const example = exampleOf('04-ha-ipv6.yaml');
const names = nodesOf(example);
const stranger = 'stranger';
let cluster: KubernetesCluster;
const on = (name: string): Asking => cluster.on(name);

beforeAll(async () => {
  cluster = await startKubernetesHosts([...names, stranger], { family: 'IPv6' });
  const begun = performance.now();
  await applyExample(cluster, fitted(example, cluster));
  await waitForNodes(cluster, names[0]!, 3, 420_000);
  const seconds = (performance.now() - begun) / 1000;
  console.info(`three control planes are ready ${seconds.toFixed(1)} s after kubectl apply`);
}, 800_000);
afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]();
}, 240_000);

const nodeAddress = (name: string): string => `2001:db8:88:${Number(name.slice(-2))}::1`;

test('hosts have no IPv4 on their link', async () => {
  for (const name of names) expect(await on(name).run('ip -4 -o addr show dev host0')).toBe('');
});

test('all three control planes serve, and every balancer knows them', async () => {
  for (const name of names) {
    const servers = await on(name).run('cat /run/firn/current/data/api-servers');
    expect(servers.split('\n')).toEqual(names.map((other) => `[${nodeAddress(other)}]:6443`));
    for (const other of names) {
      const ask = `${kubectl} --server=https://[${nodeAddress(other)}]:6443 get --raw /readyz`;
      expect(await on(name).eventually(`${other}'s API`, ask, 180_000)).toBe('ok');
    }
  }
});

test('etcd has three members that vote', async () => {
  const pki = '/etc/kubernetes/pki';
  const client = `--cacert ${pki}/etcd/ca.crt --cert ${pki}/apiserver-etcd-client.crt --key ${pki}/apiserver-etcd-client.key`;
  const etcdctl = `etcdctl --endpoints https://127.0.0.1:2379 ${client}`;
  // The port for clients is for its own host alone.
  for (const name of names) await on(name).eventually('health', `${etcdctl} endpoint health`, 60_000);
  const seen = await waitForObject<NixClusterStatus>(
    cluster.booted.cluster,
    'nixclusters',
    'prod',
    'etcd is healthy',
    ({ status }) => status?.etcd?.state === 'Healthy' && status.etcd.members?.length === 3,
    120_000,
  );
  const members = (seen.status?.etcd?.members ?? []).map(({ node, learner, healthy }) => [
    node,
    learner,
    healthy,
  ]);
  expect(members.sort()).toEqual(names.map((name) => [name, false, true]));
});

test('pods of three hosts answer by the name of a Service', async () => {
  await on(names[0]!).run(`${kubectl} apply -f -`, list(daemonSet('web', serve), service('web')));
  await on(names[0]!).eventually('pods', `${kubectl} rollout status daemonset/web --timeout=1s`, 120_000);
  for (const name of names) {
    const ask = 'busybox wget -q -O - -T 3 http://web.default.svc.k8s.example.net';
    expect(await on(name).eventually('an answer', ask, 60_000)).toMatch(/^web-/);
  }
});

test('a stranger outside reaches ssh and the API on hosts, and no pod', async () => {
  const [first = ''] = names;
  const { address6 } = cluster.host(first);
  const listening = await on(first).run('ss -Hltn');
  const ports = [
    ...new Set([...listening.matchAll(/^LISTEN +\S+ +\S+ +\S+:(\d+) /gm)].map(([, port]) => Number(port))),
  ];
  expect(ports).toEqual(expect.arrayContaining([22, 2379, 2380, 6443, 10250]));
  const open: number[] = [];
  for (const port of ports) if (await accepts(address6, port)) open.push(port);
  expect(open.sort((a, b) => a - b)).toEqual([22, 6443]);

  const ip = await on(first).run(
    `${kubectl} get pods -l app=web --field-selector spec.nodeName=${first} -o 'jsonpath={.items[0].status.podIP}'`,
  );
  const ask = `busybox wget -q -O - -T 3 http://[${ip}]:8080`;
  await on(stranger).run(`ip -6 route add 2001:db8:88::/48 via ${address6}`);
  expect((await on(stranger).attempt(ask)).code).not.toBe(0);
  expect(await on(names[1]!).run(ask)).toMatch(/^web-/);
});

test('one host loses power: the others answer within seconds and write on; it comes back and rejoins', async () => {
  const lost = names[Math.floor(Math.random() * names.length)]!;
  const left = names.filter((name) => name !== lost);
  const beats = await Promise.all(left.map((name) => startWriting(on(name), `beat-${name}`)));
  await cluster.host(lost).powerCut();
  await new Promise((resolve) => setTimeout(resolve, 25_000));
  const counted = await Promise.all(beats.map((beat) => beat.stop()));
  for (const [at, { writes, failed, wrong, longestGapSeconds }] of counted.entries()) {
    console.info(
      `${lost} was switched off: ${left[at]} made ${writes} writes, ${failed} failed, at most ${longestGapSeconds.toFixed(1)} s between two`,
    );
    expect(wrong).toBe(0);
    expect(longestGapSeconds).toBeLessThan(10);
    expect(writes).toBeGreaterThan(20);
  }
  const begun = performance.now();
  await cluster.host(lost).powerOn();
  await waitForNodes(cluster, left[0]!, 3, 180_000);
  const own = `${kubectl} get --raw /readyz`;
  await on(lost).eventually('its own API', own, 120_000);
  console.info(`it was back after ${((performance.now() - begun) / 1000).toFixed(1)} s`);
  // What was written meanwhile is on its own member, too: its API server asks no other.
  for (const [at, { last }] of counted.entries())
    expect(
      Number(await on(lost).run(`${kubectl} get configmap beat-${left[at]} -o jsonpath={.data.n}`)),
    ).toBeGreaterThanOrEqual(last);
}, 400_000);

test('the objects in the bootstrap cluster say that all is well', async () => {
  const { cluster: bootstrap } = cluster.booted;
  for (const name of names) await waitForNode(bootstrap, name, 'Ready', isReady, 180_000);
  await waitForObject<NixClusterStatus>(bootstrap, 'nixclusters', 'prod', 'Ready', isWell, 120_000);
}, 400_000);
