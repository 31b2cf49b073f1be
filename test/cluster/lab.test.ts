/** docs/examples/02 on one host: from `kubectl apply` to a Node that is ready, and a pod that answers by its Service's name. */
import type { NixClusterStatus } from '../../crds/index.ts';
import { isReady, waitForNode } from '../support/fleet.ts';
import {
  applyExample,
  exampleOf,
  fitted,
  type KubernetesCluster,
  kubectl,
  nodesOf,
  startKubernetesHosts,
} from '../support/kubernetes-cluster.ts';
import { isWell, waitForObject } from '../support/objects.ts';
import { list, pod, serve, service, wait } from '../support/pods.ts';

const example = exampleOf('02-single-node.yaml');
const [name = ''] = nodesOf(example);
let cluster: KubernetesCluster;
let begun: number;

beforeAll(async () => {
  cluster = await startKubernetesHosts([name]);
}, 300_000);
afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]();
}, 120_000);

const seconds = (): string => ((performance.now() - begun) / 1000).toFixed(1);

test('from kubectl apply to a Node that is ready, and a pod that answers by the name of its Service', async () => {
  const node = cluster.on(name);
  begun = performance.now();
  await applyExample(cluster, fitted(example, cluster));
  await node.eventually('the API', `${kubectl} get --raw /readyz`, 180_000);
  console.info(`the API answers its administrator ${seconds()} s after kubectl apply`);
  const objects = list(pod('web', serve), pod('client', wait), service('web'));
  const applied = `${kubectl} apply -f - <<'END'\n${objects}\nEND`;
  await node.eventually('an account for pods', `${kubectl} get serviceaccount default`, 60_000);
  await node.run(applied);
  await node.eventually('a Node', `${kubectl} wait --for=condition=Ready node/${name} --timeout=1s`, 90_000);
  console.info(`the Node is ready after ${seconds()} s`);
  const ask = `${kubectl} exec client -- wget -q -O - -T 2 http://web.default.svc.k8s.internal`;
  expect(await node.eventually('an answer', ask, 90_000)).toBe('web');
  console.info(`a pod answers by its Service's name after ${seconds()} s`);
}, 600_000);

test('kubectl get of the bootstrap cluster says so', async () => {
  const { cluster: bootstrap } = cluster.booted;
  await waitForNode(bootstrap, name, 'Ready', isReady, 60_000);
  const seen = await waitForObject<NixClusterStatus>(
    bootstrap,
    'nixclusters',
    'lab',
    'Ready',
    isWell,
    60_000,
  );
  console.info(`NixCluster and NixNode are ready after ${seconds()} s`);
  expect(seen.status).toMatchObject({ members: '1/1', version: expect.stringMatching(/^v1[.]36[.]/) });
}, 150_000);
