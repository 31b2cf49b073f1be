import { ConfigMapKind, SecretKind } from '../../controllers/lib/kube/core-kinds.ts';
import { defineController, type Index, input, referenced } from '../../controllers/lib/runtime/controller.ts';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { expectHonestStatus } from '../support/honest-status.ts';
import { startOperator, type TestOperator } from '../support/operator.ts';
import { type Probe, ProbeKind, probeCrd } from '../support/probe.ts';

const canary = 'canary-5d0b';
const bySecret: Index<Probe> = {
  kind: ProbeKind,
  valuesOf: ({ spec }) => (spec.secret ? [spec.secret] : []),
};

/** Copies how long the value of its Secret is, which is as much as a status may say. */
const controller = defineController<Probe>({
  name: 'probe',
  primary: ProbeKind,
  inputs: [
    referenced(SecretKind, ({ metadata }, read) =>
      read.by(bySecret, metadata.namespace ?? '', metadata.name).map((probe) => probe.metadata),
    ),
    input(
      ConfigMapKind,
      ({ metadata }, read) => read.list(ProbeKind, metadata.namespace ?? '').map((probe) => probe.metadata),
      ({ content }) => Object.keys(content),
      ({ content }) =>
        ({ name }) =>
          content[`for-${name}`]?.() ?? null,
    ),
  ],
  conditions: [],
  async reconcile({ metadata, spec }, { read, report, log }) {
    const secret = await read.load(SecretKind, metadata.namespace ?? '', spec.secret ?? '');
    log.info({ secret }, 'loaded');
    report({ observedValue: String(secret.data.key!.open().length), note: JSON.stringify(secret.data) });
    return { recheckMs: 3_600_000 };
  },
});

let cluster: TestCluster;
let operator: TestOperator;

beforeAll(async () => {
  cluster = await startTestCluster();
  await cluster.kubectl(['apply', '-f', '-'], JSON.stringify(probeCrd));
  await cluster.kubectl(['wait', '--for=condition=Established', 'crd/probes.test.firn.dev']);
  for (const namespace of ['watched', 'also-watched', 'other'])
    await cluster.kubectl(['create', 'namespace', namespace]);
  operator = startOperator(cluster.kubeconfig, [controller], { namespaces: ['watched', 'also-watched'] });
  await eventually(() => expect(operator.phases).toContain('leading'));
});

afterAll(async () => {
  await operator?.stop();
  await cluster?.stop();
});

const applied = (object: object) => cluster.kubectl(['apply', '-f', '-'], JSON.stringify(object));

const applyProbe = (namespace: string, name: string, secret: string) =>
  applied({
    apiVersion: 'test.firn.dev/v1',
    kind: 'Probe',
    metadata: { name, namespace },
    spec: { value: 'x', secret },
  });

/** With client-side apply, which leaves a copy of the values in an annotation. */
const applySecret = (namespace: string, name: string, key: string) =>
  applied({ apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, stringData: { key } });

async function get(namespace: string, name: string): Promise<Probe> {
  const { stdout } = await cluster.kubectl(['get', 'probe', '-n', namespace, name, '-o', 'json']);
  return JSON.parse(stdout);
}

test('a Secret that is missing is waited for, and a change of it reaches who refers to it', async () => {
  await applyProbe('watched', 'a', 'key');
  await eventually(async () => {
    const object = await get('watched', 'a');
    expect(object.status?.conditions?.[0]).toMatchObject({
      type: 'Ready',
      status: 'False',
      reason: 'SecretNotFound',
      message: expect.stringMatching(/^Secret key does not exist; create it/),
    });
    expectHonestStatus(object);
  });
  await applySecret('watched', 'key', canary);
  await eventually(async () =>
    expect((await get('watched', 'a')).status?.observedValue).toBe(String(canary.length)),
  );
  await applySecret('watched', 'key', `${canary}-renewed`);
  await eventually(async () =>
    expect((await get('watched', 'a')).status?.observedValue).toBe(String(`${canary}-renewed`.length)),
  );
  await cluster.kubectl(['delete', 'secret', '-n', 'watched', 'key']);
  await eventually(async () => expect((await get('watched', 'a')).status?.summary).toBe('SecretNotFound'));
});

test('values of Secrets are nowhere to be read: not in logs, statuses, events', async () => {
  await applySecret('watched', 'seen', canary);
  await applyProbe('watched', 'b', 'seen');
  const object = await eventually(async () => {
    const now = await get('watched', 'b');
    expect(now.status?.note).toBe('{"key":"[sealed]"}');
    return now;
  });
  expectHonestStatus(object, { canary });
  const events = await cluster.kubectl(['get', 'events.events.k8s.io', '-A', '-o', 'json']);
  const said = [...operator.log, events.stdout].join('\n');
  expect(said).toContain('[sealed]');
  expect(said).not.toContain(canary);
  expect(said).not.toContain(Buffer.from(canary).toString('base64'));
});

test('a change of what an input is not about wakes nobody', async () => {
  const visits = () =>
    operator.log.filter((line) => line.includes('"name":"d"') && line.includes('loaded')).length;
  const applyMap = (data: object) =>
    applied({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'd', namespace: 'watched' }, data });
  await applySecret('watched', 'key-of-d', canary);
  await applyMap({ one: '1' });
  await applyProbe('watched', 'd', 'key-of-d');
  await eventually(async () => expect((await get('watched', 'd')).status?.summary).toBe('Reconciled'));
  const before = visits();
  expect(before).toBeGreaterThan(0);
  await applyMap({ one: 'another value' });
  // What comes later on the same connection has been seen to: so has the change before it.
  await applyProbe('watched', 'e', 'key-of-d');
  await eventually(async () => expect((await get('watched', 'e')).status?.summary).toBe('Reconciled'));
  expect(visits()).toBe(before);
  await applyMap({ one: 'a third', two: 'a key that matters' });
  await eventually(() => expect(visits()).toBe(before + 1));
});

test('a change of what matters to one alone wakes that one', async () => {
  const visits = (name: string) =>
    operator.log.filter((line) => line.includes(`"name":"${name}"`) && line.includes('loaded')).length;
  const names = ['f', 'g'];
  const say = (data: object) =>
    applied({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'f', namespace: 'watched' }, data });
  await applySecret('watched', 'key-of-f', canary);
  await say({ 'for-f': '1', 'for-g': '1' });
  for (const name of names) await applyProbe('watched', name, 'key-of-f');
  for (const name of names)
    await eventually(async () => expect((await get('watched', name)).status?.summary).toBe('Reconciled'));
  const [f, g] = names.map(visits) as [number, number];
  await say({ 'for-f': '1', 'for-g': '2' });
  await eventually(() => expect(visits('g')).toBe(g + 1));
  expect(visits('f')).toBe(f);
  await say({ 'for-f': '1', 'for-g': '2', all: '' });
  await eventually(() => expect(names.map(visits)).toEqual([f + 1, g + 2]));
});

test('namespaces that are watched are all served, others are left alone', async () => {
  for (const namespace of ['watched', 'also-watched', 'other']) {
    await applySecret(namespace, 'same', canary);
    await applyProbe(namespace, 'c', 'same');
  }
  for (const namespace of ['watched', 'also-watched']) {
    await eventually(async () => expect((await get(namespace, 'c')).status?.summary).toBe('Reconciled'));
  }
  expect(await get('other', 'c')).not.toHaveProperty('status');
});
