import { ReconcileError } from '../../controllers/lib/core/outcome.ts';
import { defineController } from '../../controllers/lib/runtime/controller.ts';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { expectHonestStatus } from '../support/honest-status.ts';
import { startOperator, type TestOperator } from '../support/operator.ts';
import { type Probe, ProbeKind, probeCrd } from '../support/probe.ts';

let cluster: TestCluster;
let operator: TestOperator;
const visits: string[] = [];

const controller = defineController<Probe>({
  name: 'probe',
  primary: ProbeKind,
  inputs: [],
  conditions: ['Seen', 'Copied'],
  async reconcile(primary, { step, report, event }) {
    const { value } = primary.spec;
    visits.push(primary.metadata.name);
    await step('Seen', () => {
      if (value === 'waits') throw new ReconcileError('waiting', 'NotYet', 'waits for another value');
      if (value === 'stalls') throw new ReconcileError('terminal', 'NeverMind', 'that value cannot be');
      if (value === 'breaks') throw new Error('canary-7c1e');
    });
    await step('Copied', () =>
      report({ observedValue: value, note: value === 'noted' ? 'a note' : undefined }),
    );
    if (value === 'noted') event('Normal', 'Noted', 'a note was made');
    return { recheckMs: 3_600_000 };
  },
});

beforeAll(async () => {
  cluster = await startTestCluster();
  await cluster.kubectl(['apply', '-f', '-'], JSON.stringify(probeCrd));
  await cluster.kubectl(['wait', '--for=condition=Established', 'crd/probes.test.firn.dev']);
  operator = startOperator(cluster.kubeconfig, [controller], { health: { host: '127.0.0.1', port: 0 } });
  await eventually(() => expect(operator.phases).toContain('leading'));
});

afterAll(async () => {
  await operator?.stop();
  await cluster?.stop();
});

async function apply(name: string, value: string): Promise<void> {
  const object = {
    apiVersion: 'test.firn.dev/v1',
    kind: 'Probe',
    metadata: { name, namespace: 'default' },
    spec: { value },
  };
  const { code, stderr } = await cluster.kubectl(
    ['apply', '--server-side', '-f', '-'],
    JSON.stringify(object),
  );
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
}

async function get(name: string): Promise<Probe> {
  const { stdout } = await cluster.kubectl(['get', 'probe', name, '-o', 'json', '--show-managed-fields']);
  return JSON.parse(stdout);
}

const brief = (object: Probe) =>
  Object.fromEntries(
    (object.status?.conditions ?? []).map(({ type, status, reason }) => [type, `${status} ${reason}`]),
  );

test('an object that is as desired is Ready, and the status is applied by the field manager of the controller', async () => {
  await apply('ready', 'one');
  const object = await eventually(async () => {
    const now = await get('ready');
    expect(now.status?.observedValue).toBe('one');
    return now;
  });
  expect(brief(object)).toEqual({
    Ready: 'True Reconciled',
    Seen: 'True Succeeded',
    Copied: 'True Succeeded',
    Reconciling: 'False Reconciled',
    Stalled: 'False NotStalled',
  });
  const { managedFields } = object.metadata as unknown as {
    managedFields: { manager: string; operation: string; subresource?: string }[];
  };
  expect(managedFields).toContainEqual(
    expect.objectContaining({ manager: 'firn-probe', operation: 'Apply', subresource: 'status' }),
  );
  expectHonestStatus(object);
});

test.each([
  [
    'waits',
    {
      Ready: 'False NotYet',
      Seen: 'False NotYet',
      Copied: 'Unknown Pending',
      Reconciling: 'True NotYet',
      Stalled: 'False NotStalled',
    },
  ],
  [
    'stalls',
    {
      Ready: 'False NeverMind',
      Seen: 'False NeverMind',
      Copied: 'Unknown Pending',
      Reconciling: 'False Stalled',
      Stalled: 'True NeverMind',
    },
  ],
  [
    'breaks',
    {
      Ready: 'False InternalError',
      Seen: 'False InternalError',
      Copied: 'Unknown Pending',
      Reconciling: 'True InternalError',
      Stalled: 'False NotStalled',
    },
  ],
  [
    'unparsable',
    {
      Ready: 'False InvalidSpec',
      Seen: 'Unknown Pending',
      Copied: 'Unknown Pending',
      Reconciling: 'False Stalled',
      Stalled: 'True InvalidSpec',
    },
  ],
])('an object that %s says so in its conditions', async (value, conditions) => {
  await apply(`it-${value}`, value);
  const object = await eventually(async () => {
    const now = await get(`it-${value}`);
    expect(brief(now)).toEqual(conditions);
    return now;
  });
  expectHonestStatus(object, { canary: 'canary-7c1e' });
});

test('a field that is reported no more, or as undefined, is gone', async () => {
  await apply('noted', 'noted');
  await eventually(async () => expect((await get('noted')).status?.note).toBe('a note'));
  await apply('noted', 'plain');
  await eventually(async () => expect((await get('noted')).status?.observedValue).toBe('plain'));
  expect((await get('noted')).status).not.toHaveProperty('note');
});

test('a reconcile that finds nothing new writes nothing', async () => {
  await apply('once', 'one');
  await eventually(async () => expect((await get('once')).status?.observedValue).toBe('one'));
  const visitsOf = () => visits.filter((name) => name === 'once').length;
  // The write itself brings back an event, which is no reason to look again.
  expect(visitsOf()).toBe(1);
  const version = ['-o', 'jsonpath={.metadata.resourceVersion}'];
  const { stdout } = await cluster.kubectl(['annotate', 'probe', 'once', 'looked=again', ...version]);
  await eventually(() => expect(visitsOf()).toBe(2));
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect((await get('once')).metadata.resourceVersion).toBe(stdout);
  expect(visitsOf()).toBe(2);
});

test('a status that somebody else changed is put right', async () => {
  await apply('tampered', 'one');
  await eventually(async () => expect((await get('tampered')).status?.observedValue).toBe('one'));
  const patch = JSON.stringify({ status: { observedValue: 'forged' } });
  await cluster.kubectl(['patch', 'probe', 'tampered', '--subresource=status', '--type=merge', '-p', patch]);
  await eventually(async () => expect((await get('tampered')).status?.observedValue).toBe('one'));
});

test('events tell what changed about Ready, and what the controller had to say', async () => {
  await apply('told', 'noted');
  const reasons = await eventually(async () => {
    const { stdout } = await cluster.kubectl(['get', 'events.events.k8s.io', '-o', 'json']);
    const { items } = JSON.parse(stdout) as {
      items: { regarding: { name: string }; reason: string; reportingController: string }[];
    };
    const told = items.filter(({ regarding }) => regarding.name === 'told');
    expect(told.length).toBe(2);
    expect(told[0]!.reportingController).toBe('firn.dev/probe');
    return told.map(({ reason }) => reason).sort();
  });
  expect(reasons).toEqual(['Noted', 'Reconciled']);
});

test('an unexpected error is in the log by name and place, and nowhere by its words', async () => {
  await apply('secretive', 'breaks');
  await eventually(async () => expect(brief(await get('secretive')).Ready).toBe('False InternalError'));
  const line = operator.log
    .map((text) => JSON.parse(text))
    .find(({ name, err }) => name === 'secretive' && err);
  expect(line).toMatchObject({
    level: 'error',
    controller: 'probe',
    namespace: 'default',
    err: { name: 'Error' },
  });
  expect(line.reconcileID).toMatch(/^[0-9a-f-]{36}$/);
  expect(operator.log.join('\n')).not.toContain('canary-7c1e');
  const events = await cluster.kubectl(['get', 'events.events.k8s.io', '-o', 'json']);
  expect(events.stdout).not.toContain('canary-7c1e');
});

test('health, readiness and metrics are served', async () => {
  const url = `http://127.0.0.1:${operator.healthPort()}`;
  const [health, ready, metrics] = await Promise.all(
    ['/healthz', '/readyz', '/metrics'].map(async (path) => {
      const response = await fetch(`${url}${path}`);
      return { status: response.status, text: await response.text() };
    }),
  );
  expect([health!.status, ready!.status, metrics!.status]).toEqual([200, 200, 200]);
  expect(metrics!.text).toMatch(
    /controller_runtime_reconcile_total\{controller="probe",result="requeue_after"\} [1-9]/,
  );
  expect(metrics!.text).toMatch(/workqueue_depth\{controller="probe"\} 0/);
  expect(metrics!.text).toMatch(/firn_cache_objects\{cache="probes.test.firn.dev\/objects"\} [1-9]/);
});
