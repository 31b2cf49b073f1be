import { etcdNodes } from '../../../../controllers/nixcluster/etcd/facts.ts';
import { clusterOf, nodeOf } from '../../../support/cluster-objects.ts';

const deletionTimestamp = '2026-11-21T10:00:00Z';
const place = {
  name: 'a',
  uid: 'u',
  index: 1,
  podCIDRs: [],
  addresses: ['fd88:1::1', '10.88.1.1'],
  underlayAddresses: [],
};
const stageOf = (
  metadata: { [field: string]: unknown },
  departure?: 'Draining' | 'LeavingEtcd' | 'Done',
  roles = ['control-plane'],
) => {
  const known = departure ? { ...place, departure: { stage: departure, since: deletionTimestamp } } : place;
  const cluster = clusterOf(
    {},
    { etcd: { state: 'Healthy', transport: 'TLS', members: [{ id: 'a1', node: 'a', learner: false }] } },
  );
  return etcdNodes(cluster, [nodeOf('a', { metadata, spec: { roles } })], [known])[0]?.stage;
};

test('a member stays while the pods of its node leave, and goes then', () => {
  expect(stageOf({})).toBe('wanted');
  expect(stageOf({ deletionTimestamp })).toBe('wanted');
  expect(stageOf({ deletionTimestamp }, 'Draining')).toBe('wanted');
  expect(stageOf({ deletionTimestamp }, 'LeavingEtcd')).toBe('leaving');
  expect(stageOf({ deletionTimestamp }, 'Done')).toBe('leaving');
  expect(stageOf({}, undefined, ['worker'])).toBe('leaving');
});
