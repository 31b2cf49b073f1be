import {
  clusterForNode,
  clusterForNodes,
  isMemberAiling,
} from '../../../controllers/nixnode/cluster-sources.ts';
import { recheckMember } from '../../../controllers/nixnode/health.ts';
import { clusterForMesh } from '../../../controllers/wireguardmesh/sources.ts';
import { clusterOf } from '../../support/cluster-objects.ts';

const node = (name: string, more: object = {}) => ({
  ...{ name, uid: name, index: 1, podCIDRs: [], addresses: [], underlayAddresses: [] },
  ...more,
});
const clusterWith = (...nodes: object[]) => clusterOf({}, { nodes });
const before = clusterWith(node('a'), node('b'));

test.each([
  ['the release that one is granted', { granted: 'aaaaaaaaaaaa' }],
  ['how far one is', { rollout: { state: 'Draining' } }],
  ['that one leaves', { departure: { stage: 'Draining', since: '2026-11-21T10:00:00Z' } }],
])('%s is for that one alone', (_, more) => {
  const after = clusterWith(node('a', more), node('b'));
  expect(clusterForNodes(after)).toEqual(clusterForNodes(before));
  expect(clusterForMesh(after)).toEqual(clusterForMesh(before));
  expect(clusterForNode(after)({ name: 'a' })).not.toEqual(clusterForNode(before)({ name: 'a' }));
  expect(clusterForNode(after)({ name: 'b' })).toEqual(clusterForNode(before)({ name: 'b' }));
});

test('that etcd misses the member of one is for that one alone', () => {
  const member = (name: string, healthy: boolean) => ({ id: '1', node: name, name, learner: false, healthy });
  const nodes = [node('a'), node('b')];
  const [was, is] = [true, false].map((healthy) =>
    clusterOf(
      {},
      {
        nodes,
        etcd: { state: 'Degraded', transport: 'TLS', members: [member('a', healthy), member('b', true)] },
      },
    ),
  );
  expect(clusterForNode(is!)({ name: 'a' })).not.toEqual(clusterForNode(was!)({ name: 'a' }));
  expect(clusterForNode(is!)({ name: 'b' })).toEqual(clusterForNode(was!)({ name: 'b' }));
  expect(isMemberAiling(is!, 'a')).toBe(true);
  expect(isMemberAiling(is!, 'b')).toBe(false);
  expect([recheckMember(true), recheckMember(false)]).toEqual([30_000, 300_000]);
});

test('the addresses of one are for all', () => {
  const after = clusterWith(node('a', { addresses: ['10.88.1.1'] }), node('b'));
  expect(clusterForNodes(after)).not.toEqual(clusterForNodes(before));
  expect(clusterForMesh(after)).not.toEqual(clusterForMesh(before));
});

test('that the cluster goes is for all', () => {
  const deletionTimestamp = '2026-11-21T10:00:00Z';
  const after = { ...before, metadata: { ...before.metadata, deletionTimestamp } };
  expect(clusterForNodes(after)).not.toEqual(clusterForNodes(before));
});
