import { defineController } from '../../controllers/lib/runtime/controller.ts';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { startOperator, type TestOperator } from '../support/operator.ts';
import { type Probe, ProbeKind, probeCrd } from '../support/probe.ts';

/** A tenth of client-go's, so that a test takes seconds. */
const times = { leaseMs: 6_000, renewDeadlineMs: 4_000, retryMs: 300 };

let cluster: TestCluster;
const started: TestOperator[] = [];

/** An operator that writes its own name into every Probe. */
function start(name: string, lease: string): TestOperator {
  const controller = defineController<Probe>({
    name: 'probe',
    primary: ProbeKind,
    inputs: [],
    conditions: [],
    async reconcile(_, { report }) {
      report({ observedValue: name });
      return { recheckMs: 3_600_000 };
    },
  });
  const operator = startOperator(cluster.kubeconfig, [controller], {
    identity: name,
    leaderElection: { namespace: 'default', name: lease, times },
    health: { host: '127.0.0.1', port: 0 },
  });
  started.push(operator);
  return operator;
}

const leads = (operator: TestOperator) =>
  eventually(() => expect(operator.phases).toContain('leading'), 3 * times.leaseMs);
const holderOf = async (lease: string) =>
  (await cluster.kubectl(['get', 'lease', lease, '-o', 'jsonpath={.spec.holderIdentity}'])).stdout;

beforeAll(async () => {
  cluster = await startTestCluster();
  await cluster.kubectl(['apply', '-f', '-'], JSON.stringify(probeCrd));
  await cluster.kubectl(['wait', '--for=condition=Established', 'crd/probes.test.firn.dev']);
});

afterAll(async () => {
  await Promise.all(started.map((operator) => operator.stop()));
  await cluster?.stop();
});

test('of two operators one leads; the other is ready, and takes over at once from one that stops', async () => {
  const first = start('first', 'handed-over');
  await leads(first);
  const second = start('second', 'handed-over');
  await eventually(() => expect(second.phases).toContain('synced'));
  expect((await fetch(`http://127.0.0.1:${second.healthPort()}/readyz`)).status).toBe(200);
  await new Promise((resolve) => setTimeout(resolve, 8_000));
  expect(second.phases).not.toContain('leading');
  expect(await holderOf('handed-over')).toBe('first');

  const stoppedAt = Date.now();
  expect(await first.stop()).toBeUndefined();
  await leads(second);
  // Released, not expired.
  expect(Date.now() - stoppedAt).toBeLessThan(times.leaseMs);
  expect(await holderOf('handed-over')).toBe('second');
  await second.stop();
});

test('an operator whose lease was taken ends at once, with an error', async () => {
  const operator = start('robbed', 'taken');
  await leads(operator);
  const theft = JSON.stringify({ spec: { holderIdentity: 'thief' } });
  await cluster.kubectl(['patch', 'lease', 'taken', '--type=merge', '-p', theft]);
  expect(await operator.ended).toMatchObject({ name: 'LeadershipLost' });
  expect(await holderOf('taken')).toBe('thief');
});

test('a lease that was touched, but not taken, is kept', async () => {
  const operator = start('patient', 'touched');
  await leads(operator);
  await cluster.kubectl(['annotate', 'lease', 'touched', 'looked=at']);
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  expect(operator.phases).not.toContain('stopping');
  expect(await operator.stop()).toBeUndefined();
  expect(await holderOf('touched')).toBe('');
});

test('an operator that cannot renew ends before another may begin', async () => {
  const operator = start('cut-off', 'expired');
  await leads(operator);
  let endedAt = 0;
  void operator.ended.then(() => {
    endedAt = Date.now();
  });
  // Every request of this operator fails from here on, as if its network was gone.
  await operator.client.close();
  const heir = start('heir', 'expired');
  await leads(heir);
  expect(endedAt).toBeGreaterThan(0);
  expect(endedAt).toBeLessThanOrEqual(Date.now());
  expect(await operator.ended).toMatchObject({ name: 'LeadershipLost' });
  await heir.stop();
});
