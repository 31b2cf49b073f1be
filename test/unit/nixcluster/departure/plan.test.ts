import { departureOf, hasToDrain, type Leaver } from '../../../../controllers/nixcluster/departure/plan.ts';
import { clusterOf, nodeOf } from '../../../support/cluster-objects.ts';

const at = '2026-11-21T10:00:00Z';
const deleted = Date.parse(at);
const ready = { ready: true, reason: 'NodeReady', message: '' };
const base = { name: 'node1', uid: 'u', index: 1, podCIDRs: [], addresses: [], underlayAddresses: [] };
const member = { name: 'node1-1', node: 'node1', id: 'a1', learner: false };
const withMember = (...members: object[]) =>
  clusterOf({}, { etcd: { state: 'Healthy', transport: 'TLS', members } });

const leaver = (more: Partial<Leaver> = {}, place: object = {}, roles = ['worker']): Leaver => ({
  cluster: clusterOf(),
  node: nodeOf('node1', { metadata: { deletionTimestamp: at }, spec: { roles, deletionTimeout: '10m' } }),
  place: { ...base, node: ready, ...place },
  staying: [nodeOf('node2', { spec: { roles: ['control-plane', 'worker'] } })],
  emptied: { empty: false, overdue: false, says: '1 pod is left' },
  ...{ api: true, at, now: deleted },
  ...more,
});
const empty = { emptied: { empty: true, overdue: false, says: '' } };

test('pods go first', () => {
  expect(departureOf(leaver())).toEqual({
    do: 'wait',
    departure: {
      ...{ stage: 'Draining', since: at },
      message: 'node1 is drained: 1 pod is left; after 10m it goes all the same',
    },
  });
});

test('for as long as the deletion may take', () => {
  expect(departureOf(leaver({ now: deleted + 599_000 })).do).toBe('wait');
  expect(departureOf(leaver({ now: deleted + 600_000 })).do).toBe('delete');
});

test('then the member of etcd, however long that takes', () => {
  const cluster = withMember(member);
  const next = departureOf(leaver({ ...empty, cluster }, {}, ['control-plane']));
  expect(next).toMatchObject({ do: 'wait', departure: { stage: 'LeavingEtcd', guarded: true } });
  expect(next.departure.message).toContain('member a1 of etcd is removed first');
  const late = { cluster, now: deleted + 86_400_000 };
  const leaving = { departure: { stage: 'LeavingEtcd', since: at } };
  expect(departureOf(leaver(late, leaving, ['control-plane'])).do).toBe('wait');
});

test('then the Node, and it is done', () => {
  expect(departureOf(leaver(empty)).do).toBe('delete');
  const silent = departureOf(leaver({ ...empty, api: false }));
  expect(silent).toMatchObject({
    do: 'wait',
    departure: { message: expect.stringContaining('does not answer') },
  });
  const gone = { departure: { stage: 'NodeDeleted', since: at } };
  expect(departureOf(leaver({}, gone)).departure).toEqual({ stage: 'Done', since: at });
});

test('what the cluster never had is let go at once', () => {
  expect(departureOf(leaver({}, { node: undefined })).do).toBe('done');
  expect(departureOf(leaver({}, { node: { ...ready, ready: false, reason: 'NotRegistered' } })).do).toBe(
    'done',
  );
});

test.each<[string, Partial<Leaver>, object, string[]]>([
  ['a host that is dead', {}, { node: { ...ready, ready: false, reason: 'NodeStatusUnknown' } }, ['worker']],
  [
    'one without a place for its pods',
    { staying: [nodeOf('c', { spec: { roles: ['control-plane'] } })] },
    {},
    ['worker'],
  ],
  ['a frontend', {}, {}, ['frontend']],
])('%s is not drained', (_, more, place, roles) => {
  expect(hasToDrain(leaver(more, place, roles))).toBe(false);
  expect(departureOf(leaver(more, place, roles)).do).toBe('delete');
});

test('the last control-plane node goes with its cluster alone', () => {
  const last = leaver({ ...empty, staying: [nodeOf('node2')], now: deleted + 86_400_000 }, {}, [
    'control-plane',
  ]);
  const { do: what, departure } = departureOf(last);
  expect({ what, departure }).toMatchObject({
    what: 'wait',
    departure: { stage: 'Draining', guarded: true },
  });
  expect(departure.message).toContain('the last control-plane node of cluster demo');
  expect(departure.message).toContain('firn.dev/leave: "now"');
});

test('a step that was made is not made again', () => {
  const leaving = { departure: { stage: 'LeavingEtcd', since: '2026-11-21T09:00:00Z' } };
  expect(departureOf(leaver({}, leaving))).toMatchObject({
    do: 'delete',
    departure: { since: '2026-11-21T09:00:00Z' },
  });
});
