/**
 * A rotation of every authority and key, on one booted host, while a client writes and reads. With one API server there are
 * moments without it: what counts is that nothing is lost, and that nothing is dropped that somebody still needs.
 */
import type { ClusterPKIStatus } from '../../crds/index.ts';
import { busy } from '../support/busy-client.ts';
import { apply, namespace } from '../support/fleet.ts';
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
import { pod, wait } from '../support/pods.ts';
import { startServing } from '../support/serving.ts';

const example = exampleOf('02-single-node.yaml');
const [name = ''] = nodesOf(example);
let cluster: KubernetesCluster;

beforeAll(async () => {
  cluster = await startKubernetesHosts([name]);
}, 600_000);
afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]();
}, 120_000);

const on = () => cluster.on(name);
const stdout = async (script: string) => (await on().run(script)).trim();
const pkiSays = (what: string, fits: (status: ClusterPKIStatus) => boolean, withinMs = 300_000) =>
  waitForObject<ClusterPKIStatus>(
    cluster.booted.cluster,
    'clusterpkis',
    'lab',
    what,
    ({ status }) => status !== undefined && fits(status),
    withinMs,
  );

test('a cluster with a Deployment that serves', async () => {
  await applyExample(cluster, fitted(example, cluster));
  await waitForNodes(cluster, name, 1, 400_000);
  await startServing(cluster, name, pod('client', wait));
}, 600_000);

test('every key and authority is replaced in the running cluster', async () => {
  const before = await pkiSays('as it was', ({ authorities }) => authorities?.length === 3);
  const secret = 'canary-of-the-rotation';
  await on().run(`${kubectl} create secret generic kept --from-literal=word=${secret}`);
  const counts = await busy(on(), async () => {
    const rotate = { authority: 'one', serviceAccountKey: 'one', encryptionKey: 'one' };
    const pki = {
      apiVersion: 'firn.dev/v1alpha1',
      kind: 'ClusterPKI',
      metadata: { name: 'lab', namespace },
      spec: { rotate },
    };
    await apply(cluster.booted.cluster, pki);
    const waits = (rotation: ClusterPKIStatus['rotation'], of: string, words: string) =>
      rotation?.some(({ name, waitsFor }) => name === of && waitsFor?.includes(words) === true) === true;
    await pkiSays(
      'pods are waited for',
      ({ rotation }) =>
        waits(rotation, 'authority', 'default/client') &&
        waits(rotation, 'serviceAccountKey', 'renew the tokens of pods'),
      400_000,
    );
    await on().run(`${kubectl} rollout restart deployment web && ${kubectl} delete pod client --wait=false`);
    await pkiSays(
      'no rotation is left',
      ({ rotation, authorities = [] }) =>
        !rotation?.length && authorities[0]?.fingerprint !== before.status?.authorities?.[0]?.fingerprint,
      600_000,
    );
  });
  console.info(`during the rotation: ${JSON.stringify(counts)}`);
  expect(counts).toMatchObject({ wrong: 0 });
  expect(await stdout(`${kubectl} get secret kept -o 'jsonpath={.data.word}' | base64 -d`)).toBe(secret);
  await on().eventually('a Node', `${kubectl} wait --for=condition=Ready node/${name} --timeout=1s`, 90_000);
}, 1_000_000);
