import { clusterForNode, clusterForNodes } from '../../../controllers/nixnode/cluster-sources.ts';
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
