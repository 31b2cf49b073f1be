import { nodeForCluster } from '../../../controllers/nixcluster/inputs.ts';
import { nodeOf } from '../../support/cluster-objects.ts';

const at = '2026-11-21T10:00:00Z';
const about = (status: { [field: string]: unknown }) =>
  JSON.stringify(nodeForCluster(nodeOf('a', { status })));
const ready = (status: string, lastTransitionTime = at) => ({
  conditions: [{ type: 'Ready', status, reason: 'Building', message: '', lastTransitionTime }],
});

test.each<[string, { [field: string]: unknown }, { [field: string]: unknown }]>([
  ['that it was asked for the first time', {}, { lastObserved: at }],
  ['what its host has', { member: { cluster: 'demo', index: 1 } }, { member: { cluster: 'demo', index: 2 } }],
  ['that it is ready', ready('False'), ready('True')],
  ['what became of its host', {}, { deletion: { outcome: 'Reset', at } }],
  [
    'that a key is to restart its servers',
    { release: { class: 'secrets' } },
    { release: { class: 'secrets', restartsServers: true } },
  ],
  [
    'of another release with such a key',
    { release: { class: 'secrets', restartsServers: true, desired: 'aaaaaaaaaaaa' } },
    { release: { class: 'secrets', restartsServers: true, desired: 'bbbbbbbbbbbb' } },
  ],
  ['which addresses it has', {}, { facts: { addresses: ['192.0.2.1'] } }],
])('a cluster is told %s', (_, before, after) => {
  expect(about(after)).not.toBe(about(before));
});

test.each<[string, { [field: string]: unknown }, { [field: string]: unknown }]>([
  ['when it was last asked', { lastObserved: at }, { lastObserved: '2026-11-21T10:10:00Z' }],
  ['since when it is ready', ready('True'), ready('True', '2026-11-21T10:10:00Z')],
  [
    'of data that it takes up by itself',
    { release: { class: 'data', desired: 'aaaaaaaaaaaa' } },
    { release: { class: 'data', desired: 'bbbbbbbbbbbb' } },
  ],
  ['how much memory it has', { facts: { memoryBytes: 1 } }, { facts: { memoryBytes: 2 } }],
])('and not %s', (_, before, after) => {
  expect(about(after)).toBe(about(before));
});
