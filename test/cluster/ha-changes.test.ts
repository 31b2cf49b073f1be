/**
 * What a cluster of docs/examples/04 lives through, on three booted hosts: a minor version up, and every authority and key
 * replaced; while a client writes and reads by a balancer and a Deployment of two serves.
 */
import type { ClusterPKIStatus, NixClusterStatus } from '../../crds/index.ts';
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
import { startServing } from '../support/serving.ts';

const example = exampleOf('04-ha-ipv6.yaml');
const names = nodesOf(example);
const [first = ''] = names;
const next = { url: 'path:/srv/nixpkgs-kubernetes-next' };
let cluster: KubernetesCluster;

beforeAll(async () => {
  cluster = await startKubernetesHosts(names, { family: 'IPv6', flavour: 'kubernetes-next' });
}, 600_000);
afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]();
}, 240_000);

const on = () => cluster.on(first);
const says = <Status>(plural: string, what: string, fits: (status: Status) => boolean, withinMs: number) =>
  waitForObject<Status>(
    ...([cluster.booted.cluster, plural, 'prod', what] as const),
    ({ status }) => status !== undefined && fits(status),
    withinMs,
  );
const clusterSays = (what: string, fits: (status: NixClusterStatus) => boolean, withinMs: number) =>
  says<NixClusterStatus>('nixclusters', what, fits, withinMs);
const pkiSays = (what: string, fits: (status: ClusterPKIStatus) => boolean, withinMs: number) =>
  says<ClusterPKIStatus>('clusterpkis', what, fits, withinMs);
const isRolledOut = ({ conditions }: NixClusterStatus): boolean =>
  conditions?.find(({ type }) => type === 'RolledOut')?.status === 'True';
const versions = `${kubectl} get nodes -o 'jsonpath={.items[*].status.nodeInfo.kubeletVersion}'`;

test('three control planes, and a Deployment that serves', async () => {
  await applyExample(cluster, fitted(example, cluster));
  await waitForNodes(cluster, first, 3, 420_000);
  await startServing(cluster, first);
  await clusterSays(
    'all is well',
    (status) => isRolledOut(status) && status.etcd?.state === 'Healthy',
    240_000,
  );
}, 900_000);

test('one minor up, component by component and node by node', async () => {
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
      (status) => {
        if (status.kubernetes?.stage) stages.add(status.kubernetes.stage);
        return status.kubernetes?.version === '1.37' && !status.kubernetes.stage && isRolledOut(status);
      },
      1_200_000,
    );
  });
  console.info(`during the upgrade: ${JSON.stringify(counts)}; stages seen: ${[...stages].join(', ')}`);
  expect(counts).toMatchObject({ wrong: 0, unanswered: 0 });
  expect(counts.longestGapSeconds).toBeLessThan(15);
  expect(await on().run(versions)).toBe('v1.37.1 v1.37.1 v1.37.1');
}, 1_500_000);

test('every authority and key is replaced', async () => {
  const secret = 'canary-of-the-rotation';
  await on().run(`${kubectl} create secret generic kept --from-literal=word=${secret}`);
  const before = await pkiSays('as it was', ({ authorities }) => authorities?.length === 3, 10_000);
  const fingerprints = ({ authorities = [] }: ClusterPKIStatus) => authorities.map((one) => one.fingerprint);
  const counts = await busy(on(), async () => {
    const rotate = { authority: 'one', serviceAccountKey: 'one', encryptionKey: 'one' };
    await apply(cluster.booted.cluster, {
      ...{ apiVersion: 'firn.dev/v1alpha1', kind: 'ClusterPKI' },
      ...{ metadata: { name: 'prod', namespace }, spec: { rotate } },
    });
    // Who is restarted before the last API server signs with the new key has tokens of the former one again.
    await pkiSays(
      'pods are waited for',
      ({ rotation = [] }) =>
        ['authority', 'serviceAccountKey'].every((name) =>
          rotation.some((one) => one.name === name && one.waitsFor?.includes('default/web')),
        ),
      900_000,
    );
    await on().run(`${kubectl} rollout restart deployment web`);
    await pkiSays(
      'no rotation is left',
      ({ rotation, authorities }) => !rotation?.length && !!authorities,
      1_200_000,
    );
    await clusterSays('the last of it is rolled out', isRolledOut, 300_000);
  });
  console.info(`during the rotation: ${JSON.stringify(counts)}`);
  expect(counts).toMatchObject({ wrong: 0, unanswered: 0 });
  expect(counts.longestGapSeconds).toBeLessThan(15);
  const after = await pkiSays('as it is', () => true, 10_000);
  const kept = new Set(fingerprints(before.status!));
  expect(fingerprints(after.status!).filter((one) => kept.has(one))).toEqual([]);
  expect(await on().run(`${kubectl} get secret kept -o 'jsonpath={.data.word}' | base64 -d`)).toBe(secret);
  await waitForNodes(cluster, first, 3, 90_000);
}, 2_700_000);
