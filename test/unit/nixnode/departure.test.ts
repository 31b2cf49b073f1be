import { waitsForDeparture } from '../../../controllers/nixnode/departure.ts';
import { clusterOf, nodeOf } from '../../support/cluster-objects.ts';

const deletionTimestamp = '2026-11-21T10:00:00Z';
const deleted = Date.parse(deletionTimestamp);
const node = (metadata: object = {}) =>
  nodeOf('node1', { metadata: { deletionTimestamp, ...metadata }, spec: { deletionTimeout: '10m' } });
const place = { index: 1, podCIDRs: [], addresses: [], underlayAddresses: [] };
const clusterWith = (departure?: object, uid = 'uid-of-node1') =>
  clusterOf({}, { nodes: [{ ...place, name: 'node1', uid, ...(departure && { departure }) }] });
const draining = { stage: 'Draining', since: deletionTimestamp, message: '1 pod is left' };

test('the cluster lets the node go first, and says how far that is', () => {
  expect(waitsForDeparture(node(), clusterWith(), deleted)).toBe(
    'the node leaves cluster demo first: has yet to let it go',
  );
  expect(waitsForDeparture(node(), clusterWith(draining), deleted)).toBe(
    'the node leaves cluster demo first: 1 pod is left',
  );
  const { message, ...silent } = draining;
  expect(waitsForDeparture(node(), clusterWith(silent), deleted)).toContain('its pods are evicted');
});

const going = clusterWith(draining);
test.each([
  ['that is not there', undefined],
  ['that goes itself', { ...going, metadata: { ...going.metadata, deletionTimestamp } }],
  ['that does not know it', clusterWith(undefined, 'of another')],
  ['that let it go', clusterWith({ ...draining, stage: 'Done' })],
])('a cluster %s is not waited for', (_, cluster) => {
  expect(waitsForDeparture(node(), cluster, deleted)).toBeUndefined();
});

test('for no longer than the deletion may take, but where too much would be lost', () => {
  const late = deleted + 11 * 60_000;
  expect(waitsForDeparture(node(), clusterWith(draining), late - 1)).toBeDefined();
  expect(waitsForDeparture(node(), clusterWith(draining), late)).toBeUndefined();
  expect(waitsForDeparture(node(), clusterWith({ ...draining, guarded: true }), late)).toBeDefined();
});

test('and not at all where a person says so', () => {
  const annotations = { 'firn.dev/leave': 'now' };
  expect(
    waitsForDeparture(node({ annotations }), clusterWith({ ...draining, guarded: true }), deleted),
  ).toBeUndefined();
});
