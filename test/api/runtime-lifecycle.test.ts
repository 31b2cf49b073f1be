import { ReconcileError } from '../../controllers/lib/core/outcome.ts';
import { defineController } from '../../controllers/lib/runtime/controller.ts';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { expectHonestStatus } from '../support/honest-status.ts';
import { startOperator, type TestOperator } from '../support/operator.ts';
import { type Probe, ProbeKind, probeCrd } from '../support/probe.ts';

const finalizer = 'test.firn.dev/probe';
const seen: string[] = [];
let mayGo = false;
/** Resolves what a reconcile of `slow` waits for. */
let letOn: () => void = () => undefined;

const controller = defineController<Probe>({
  name: 'probe',
  primary: ProbeKind,
  inputs: [],
  conditions: ['Copied'],
  finalizer,
  deadlineMs: 60_000,
  async reconcile({ metadata, spec }, { step, report, publishNow, signal }) {
    seen.push(`${metadata.name} ${metadata.finalizers?.join()}`);
    if (spec.value === 'slow') {
      report({ note: 'about to' });
      await publishNow();
      await new Promise<void>((resolve, reject) => {
        letOn = resolve;
        signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true });
      });
    }
    await step('Copied', () => report({ observedValue: spec.value }));
    return { recheckMs: 3_600_000 };
  },
  async finalize({ metadata }, { step }) {
    seen.push(`finalize ${metadata.name}`);
    await step('Copied', () => {
      if (!mayGo) throw new ReconcileError('waiting', 'MayNotGo', 'has to stay', { recheckMs: 100 });
    });
    return 'done';
  },
});

let cluster: TestCluster;
let operator: TestOperator;

beforeAll(async () => {
  cluster = await startTestCluster();
  await cluster.kubectl(['apply', '-f', '-'], JSON.stringify(probeCrd));
  await cluster.kubectl(['wait', '--for=condition=Established', 'crd/probes.test.firn.dev']);
  operator = startOperator(cluster.kubeconfig, [controller]);
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
  const { stderr } = await cluster.kubectl(['apply', '--server-side', '-f', '-'], JSON.stringify(object));
  expect(stderr).toBe('');
}

async function get(name: string): Promise<Probe> {
  const { stdout, stderr } = await cluster.kubectl(['get', 'probe', name, '-o', 'json']);
  if (stderr) throw new Error(stderr);
  return JSON.parse(stdout);
}

const readyOf = (object: Probe) => {
  const ready = object.status?.conditions?.find(({ type }) => type === 'Ready');
  return `${ready?.status} ${ready?.reason}`;
};

test('the finalizer is there before the first reconcile, and goes after finalize has said so', async () => {
  await apply('kept', 'one');
  await eventually(async () => expect((await get('kept')).status?.observedValue).toBe('one'));
  expect(seen).toContain(`kept ${finalizer}`);
  expect(seen).not.toContain('kept undefined');
  await cluster.kubectl(['delete', 'probe', 'kept', '--wait=false']);
  const held = await eventually(async () => {
    const now = await get('kept');
    expect(readyOf(now)).toBe('False MayNotGo');
    return now;
  });
  expect(held.metadata.finalizers).toEqual([finalizer]);
  expectHonestStatus(held);
  mayGo = true;
  await eventually(async () =>
    expect((await cluster.kubectl(['get', 'probe', 'kept'])).stderr).toContain('NotFound'),
  );
});

test('finalizers of others stay when ours goes', async () => {
  mayGo = true;
  await apply('shared', 'one');
  await eventually(async () => expect((await get('shared')).status?.observedValue).toBe('one'));
  const add = JSON.stringify([{ op: 'add', path: '/metadata/finalizers/-', value: 'example.com/other' }]);
  await cluster.kubectl(['patch', 'probe', 'shared', '--type=json', '-p', add]);
  await cluster.kubectl(['delete', 'probe', 'shared', '--wait=false']);
  await eventually(async () =>
    expect((await get('shared')).metadata.finalizers).toEqual(['example.com/other']),
  );
  await cluster.kubectl([
    'patch',
    'probe',
    'shared',
    '--type=merge',
    '-p',
    '{"metadata":{"finalizers":null}}',
  ]);
});

test('progress is published before what takes long, and the final status after it', async () => {
  await apply('slow', 'slow');
  const object = await eventually(async () => {
    const now = await get('slow');
    expect(readyOf(now)).toBe('False Progressing');
    return now;
  });
  expect(object.status?.note).toBe('about to');
  expect(object.status?.observedValue).toBeUndefined();
  expectHonestStatus(object);
  letOn();
  await eventually(async () => expect(readyOf(await get('slow'))).toBe('True Reconciled'));
});

test('a change of the spec during a reconcile is not lost, and its status does not claim to have seen it', async () => {
  await apply('changed', 'slow');
  await eventually(async () => expect(readyOf(await get('changed'))).toBe('False Progressing'));
  await apply('changed', 'two');
  letOn();
  await eventually(async () => expect((await get('changed')).status?.observedValue).toBe('two'));
  expectHonestStatus(await get('changed'));
});

test('an object that is deleted and made again during a reconcile gets nothing of its namesake', async () => {
  mayGo = true;
  await apply('reborn', 'slow');
  await eventually(async () => expect(readyOf(await get('reborn'))).toBe('False Progressing'));
  const former = await get('reborn');
  await cluster.kubectl([
    'patch',
    'probe',
    'reborn',
    '--type=merge',
    '-p',
    '{"metadata":{"finalizers":null}}',
  ]);
  await cluster.kubectl(['delete', 'probe', 'reborn']);
  await apply('reborn', 'second');
  letOn();
  const object = await eventually(async () => {
    const now = await get('reborn');
    expect(now.status?.observedValue).toBe('second');
    return now;
  });
  expect(object.metadata.uid).not.toBe(former.metadata.uid);
  expect(object.status?.note).toBeUndefined();
});

test('restart of the API server in the middle: the operator goes on, and misses nothing', async () => {
  await apply('before', 'one');
  await eventually(async () => expect((await get('before')).status?.observedValue).toBe('one'));
  await cluster.restartApiserver();
  await apply('before', 'two');
  await apply('after', 'one');
  await eventually(async () => expect((await get('before')).status?.observedValue).toBe('two'), 40_000);
  await eventually(async () => expect((await get('after')).status?.observedValue).toBe('one'), 40_000);
  expectHonestStatus(await get('after'));
});

test('a stop in the middle of a reconcile writes no half truth', async () => {
  await apply('halved', 'slow');
  const published = await eventually(async () => {
    const now = await get('halved');
    expect(readyOf(now)).toBe('False Progressing');
    return now;
  });
  expect(await operator.stop()).toBeUndefined();
  expect((await get('halved')).metadata.resourceVersion).toBe(published.metadata.resourceVersion);
});
