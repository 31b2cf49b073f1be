/** charts/firn as Helm renders it: accepted by a real API server, and enough for the operator to do its work. */
import { parseAllDocuments } from 'yaml';
import type { NixNode } from '../../crds/index.ts';
import type { KubeObject } from '../../crds/resource.ts';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { type RawApi, rawApi } from '../support/firn-api.ts';
import { fullNode } from '../support/full-objects.ts';
import { type Helm, startHelm } from '../support/helm.ts';
import { startOperator } from '../support/operator-process.ts';

const chart = new URL('../../charts/firn', import.meta.url).pathname;

let cluster: TestCluster;
let api: RawApi;
let helm: Helm;

beforeAll(async () => {
  [cluster, helm] = await Promise.all([startTestCluster(), startHelm()]);
  api = rawApi(cluster);
}, 600_000); // helm may have to be built

afterAll(async () => {
  helm?.[Symbol.dispose]();
  await api?.[Symbol.asyncDispose]();
  await cluster?.stop();
});

type Rendered = { text: string; objects: (KubeObject & { spec?: unknown })[] };

async function render(namespace: string, ...flags: string[]): Promise<Rendered> {
  const args = [
    'template',
    'firn',
    chart,
    '--namespace',
    namespace,
    '--include-crds',
    '--kube-version',
    '1.36.0',
  ];
  const { stdout, stderr, code } = await helm.run(...args, ...flags);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const objects = parseAllDocuments(stdout).map((document) => document.toJS() as Rendered['objects'][number]);
  return { text: stdout, objects: objects.filter((object) => object !== null) };
}

async function install(namespace: string, rendered: Rendered, others: string[]): Promise<void> {
  for (const name of [namespace, ...others]) {
    const metadata = { name, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } };
    expect((await api.send('POST', '/api/v1/namespaces', { metadata })).status).toBe(201);
  }
  const applied = await cluster.kubectl(['apply', '--server-side', '-f', '-'], rendered.text);
  expect({ code: applied.code, stderr: applied.stderr }).toEqual({ code: 0, stderr: '' });
  const crds = ['wait', '--for=condition=Established', '--timeout=30s', 'crd', '--all'];
  expect((await cluster.kubectl(crds)).code).toBe(0);
}

/** A node whose key cannot be used: what is said of it shows that its Secret was read. */
async function addNode(namespace: string): Promise<string> {
  const node = { ...fullNode('alpha'), metadata: { name: 'alpha', namespace } };
  for (const name of ['deploy-key', 'hop-key']) {
    const secret = { metadata: { name }, stringData: { 'ssh-privatekey': 'not a key' } };
    expect((await api.send('POST', `/api/v1/namespaces/${namespace}/secrets`, secret)).status).toBe(201);
  }
  const path = `/apis/firn.dev/v1alpha1/namespaces/${namespace}/nixnodes`;
  expect((await api.send('POST', path, node)).status).toBe(201);
  return `${path}/alpha`;
}

async function eventually<T>(look: () => Promise<T | null>, log: () => string): Promise<T> {
  for (const until = Date.now() + 30_000; Date.now() < until; ) {
    const seen = await look();
    if (seen !== null) return seen;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`not seen within 30 s; the operator said:\n${log()}`);
}

const nodeAt = async (path: string): Promise<NixNode> =>
  (await api.send('GET', path)).body as unknown as NixNode;

test('helm finds nothing to complain about', async () => {
  const { stdout, code } = await helm.run('lint', '--strict', chart);
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('0 chart(s) failed') });
});

test.each([
  ['replicas=0', /replicas/],
  ['unheardOf=1', /unheardOf/],
  ['logLevel=loud', /logLevel/],
  ['watchNamespaces={Fleet}', /watchNamespaces/],
  ['image.repository=', /repository/],
])('a value that cannot be meant is refused: %s', async (setting, message) => {
  const { code, stderr } = await helm.run('template', 'firn', chart, '--set', setting);
  expect(code).not.toBe(0);
  expect(stderr).toMatch(message);
});

test('a pod of the Deployment satisfies the restricted Pod Security Standard', async () => {
  const rendered = await render('firn-pods');
  await install('firn-pods', rendered, []);
  const deployment = rendered.objects.find(({ kind }) => kind === 'Deployment')!;
  const { metadata, spec } = (deployment.spec as { template: { metadata: object; spec: object } }).template;
  const pod = { metadata: { ...metadata, name: 'trial' }, spec };
  const made = await api.send('POST', '/api/v1/namespaces/firn-pods/pods?dryRun=All', pod);
  expect({ status: made.status, message: made.body.message }).toEqual({ status: 201, message: undefined });
});

test.each([
  { release: 'firn-everywhere', flags: [], node: 'fleet-a', beyond: null },
  { release: 'firn-here', flags: ['--set', 'watchNamespaces={fleet-b}'], node: 'fleet-b', beyond: 'fleet-c' },
])('the operator does its work with the roles of the chart alone: $release', async (variant) => {
  const rendered = await render(variant.release, ...variant.flags);
  const kinds = new Set(rendered.objects.map(({ kind }) => kind));
  expect(kinds.has('ClusterRole')).toBe(variant.beyond === null);
  await install(variant.release, rendered, [
    variant.node,
    ...(variant.beyond === null ? [] : [variant.beyond]),
  ]);
  const path = await addNode(variant.node);
  const untouched = variant.beyond === null ? null : await addNode(variant.beyond);
  const account = { namespace: variant.release, name: 'firn' };
  await using operator = await startOperator(cluster, account, {
    FIRN_NAMESPACE: variant.release,
    FIRN_WATCH_NAMESPACES: variant.beyond === null ? '' : variant.node,
    FIRN_HEALTH_PORT: '0',
  });
  const node = await eventually(async () => {
    const seen = await nodeAt(path);
    return seen.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'False')
      ? seen
      : null;
  }, operator.log);
  expect(node.metadata.finalizers).toEqual(['firn.dev/nixnode']);
  expect(node.status?.conditions?.find(({ type }) => type === 'Reachable')?.reason).toMatch(/Key/);
  const events = `/apis/events.k8s.io/v1/namespaces/${variant.node}/events`;
  await eventually(async () => {
    const { items } = (await api.send('GET', events)).body as unknown as { items: unknown[] };
    return items.length > 0 ? items : null;
  }, operator.log);
  const lease = await api.send(
    'GET',
    `/apis/coordination.k8s.io/v1/namespaces/${variant.release}/leases/firn-operator`,
  );
  expect(lease.status).toBe(200);
  expect(operator.log()).not.toMatch(/forbidden|"status":403/i);
  if (untouched !== null) expect((await nodeAt(untouched)).status).toBeUndefined();
});
