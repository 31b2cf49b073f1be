/**
 * etcd on booted hosts, by the operator: one control-plane node becomes three, a disk is lost and replaced, a dead host is
 * removed; and objects are where they were.
 */
import type { NixClusterStatus } from '../../crds/index.ts';
import { apply } from '../support/fleet.ts';
import {
  applyExample,
  exampleOf,
  fitted,
  type KubernetesCluster,
  kubectl,
  startKubernetesHosts,
} from '../support/kubernetes-cluster.ts';
import { type Seen, waitForObject } from '../support/objects.ts';

const names = ['lab-1', 'lab-2', 'lab-3'];
const example = exampleOf('02-single-node.yaml');
const rest = example.filter(({ kind }) => kind !== 'NixNode');
const node1 = example.find(({ kind }) => kind === 'NixNode')!;
/** With the addresses by which the others reach it: there is no mesh. */
const nodeOf = (name: string) => {
  const { address, address6 } = cluster.host(name);
  const spec = { ...node1.spec, addresses: [address, address6] };
  return { ...node1, metadata: { ...node1.metadata, name }, spec };
};
let cluster: KubernetesCluster;

beforeAll(async () => {
  cluster = await startKubernetesHosts(names);
}, 300_000);
afterAll(() => cluster?.[Symbol.asyncDispose](), 120_000);

type Etcd = NonNullable<NixClusterStatus['etcd']>;
async function etcd(what: string, fits: (etcd: Etcd) => boolean, withinMs: number): Promise<Etcd> {
  const isSo = ({ status }: Seen<NixClusterStatus>) => status?.etcd !== undefined && fits(status.etcd);
  const seen = await waitForObject<NixClusterStatus>(
    cluster.booted.cluster,
    'nixclusters',
    'lab',
    what,
    isSo,
    withinMs,
  );
  return seen.status!.etcd!;
}
const votersOf = ({ members = [] }: Etcd): (string | undefined)[] =>
  members.filter(({ learner, healthy }) => !learner && healthy !== false).map(({ node }) => node);
const idOf = ({ members = [] }: Etcd, name: string): string | undefined =>
  members.find(({ node }) => node === name)?.id;
const read = `${kubectl} get configmap kept -o jsonpath={.data.key}`;

test('one is alone, on a socket', async () => {
  await applyExample(cluster, fitted([...rest, nodeOf('lab-1')], cluster));
  const alone = await etcd('alone', ({ state }) => state === 'Alone', 240_000);
  expect(alone).toMatchObject({ transport: 'Socket', members: [{ node: 'lab-1', learner: false }] });
  const node = cluster.on('lab-1');
  // As soon as the API serves and its first rights are there.
  await node.eventually('a write', `${kubectl} create configmap kept --from-literal=key=value`, 180_000);
  expect(await node.run('ss -Hltn "sport = :2379 or sport = :2380"')).toBe('');
}, 480_000);

test('two more join it over TLS', async () => {
  await apply(cluster.booted.cluster, ...fitted([nodeOf('lab-2'), nodeOf('lab-3')], cluster));
  const three = await etcd(
    'healthy',
    ({ state, members }) => state === 'Healthy' && members?.length === 3,
    420_000,
  );
  expect(votersOf(three).sort()).toEqual(names);
  for (const name of names) await cluster.on(name).eventually('what was kept', read, 120_000);
}, 600_000);

test('a lost disk is replaced', async () => {
  const before = await etcd('healthy', ({ state }) => state === 'Healthy', 60_000);
  const lost = idOf(before, 'lab-2');
  await cluster.on('lab-2').run('systemctl stop etcd && rm -rf /var/lib/etcd/member && systemctl start etcd');
  const after = await etcd(
    'healthy with another member',
    (seen) => seen.state === 'Healthy' && idOf(seen, 'lab-2') !== lost,
    240_000,
  );
  expect(votersOf(after).sort()).toEqual(names);
  expect(await cluster.on('lab-2').eventually('what was kept', read, 120_000)).toBe('value');
}, 420_000);

test('a dead host is removed', async () => {
  await cluster.host('lab-3').powerCut();
  const { cluster: bootstrap } = cluster.booted;
  await bootstrap.kubectl(['delete', 'nixnode', 'lab-3', '-n', 'fleet', '--wait=false']);
  const two = await etcd('two', ({ members }) => members?.length === 2, 240_000);
  expect(votersOf(two).sort()).toEqual(['lab-1', 'lab-2']);
  const node = cluster.on('lab-1');
  await node.eventually('a write', `${kubectl} create configmap later --from-literal=a=b`, 60_000);
}, 420_000);
