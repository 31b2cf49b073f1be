/**
 * One minor up on one booted host, while a client writes and reads and a Deployment of two
 * serves. With one API server there are moments without it: what counts is that nothing is lost and pods go on.
 */
import type { NixClusterStatus } from '../../crds/index.ts';
import { busy } from '../support/busy-client.ts';
import { apply } from '../support/fleet.ts';
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
import { waitForObject } from '../support/objects.ts';
import { startServing } from '../support/serving.ts';

const example = exampleOf('02-single-node.yaml');
const [name = ''] = nodesOf(example);
const next = { url: 'path:/srv/nixpkgs-kubernetes-next' };
let cluster: KubernetesCluster;

beforeAll(async () => {
  cluster = await startKubernetesHosts([name], { flavour: 'kubernetes-next' });
}, 600_000);
afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]();
}, 120_000);

const on = () => cluster.on(name);
const stdout = async (script: string) => (await on().run(script)).trim();
const clusterSays = (what: string, fits: (status: NixClusterStatus) => boolean, withinMs = 300_000) =>
  waitForObject<NixClusterStatus>(
    cluster.booted.cluster,
    'nixclusters',
    'lab',
    what,
    ({ status }) => status !== undefined && fits(status),
    withinMs,
  );

test('a cluster with a Deployment that serves', async () => {
  await applyExample(cluster, fitted(example, cluster));
  await waitForNodes(cluster, name, 1, 400_000);
  await startServing(cluster, name);
  await clusterSays('1.36 runs', ({ kubernetes }) => kubernetes?.version === '1.36');
}, 600_000);

test('one minor up: etcd, API server, controllers, kubelet, and no gap in what serves', async () => {
  const pods = await stdout(`${kubectl} get pods -l app=web -o 'jsonpath={.items[*].metadata.uid}'`);
  const stages = new Set<string>();
  const counts = await busy(on(), async () => {
    const objects = fitted(example, cluster).map((object) => {
      const { kind, spec } = object as { kind: string; spec: Record<string, unknown> };
      return kind === 'NixCluster'
        ? { ...object, spec: { ...spec, kubernetes: { version: '1.37', nixpkgs: next } } }
        : object;
    });
    await apply(cluster.booted.cluster, ...objects);
    await clusterSays(
      'all is 1.37',
      ({ kubernetes }) => {
        if (kubernetes?.stage) stages.add(kubernetes.stage);
        return kubernetes?.version === '1.37' && kubernetes.stage === undefined;
      },
      500_000,
    );
  });
  console.info(`during the upgrade: ${JSON.stringify(counts)}; stages seen: ${[...stages].join(', ')}`);
  expect(counts).toMatchObject({ wrong: 0, unanswered: 0 });
  expect(await stdout(`${kubectl} get node ${name} -o 'jsonpath={.status.nodeInfo.kubeletVersion}'`)).toBe(
    'v1.37.1',
  );
  expect(await stdout(`${kubectl} get --raw /version`)).toContain('v1.37.1');
  for (const unit of ['kube-controller-manager', 'kube-scheduler', 'kube-proxy']) {
    const program = await stdout(`readlink /proc/$(systemctl show -P MainPID ${unit})/exe`);
    expect(await stdout(`${program} --version`)).toContain('v1.37.1');
  }
  expect(await stdout(`${kubectl} get pods -l app=web -o 'jsonpath={.items[*].metadata.uid}'`)).toBe(pods);
}, 700_000);
