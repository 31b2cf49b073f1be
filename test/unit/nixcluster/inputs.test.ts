import type { CacheReader, Index } from '../../../controllers/lib/runtime/controller.ts';
import { clustersOfSecret, nodeForCluster, pkiForCluster } from '../../../controllers/nixcluster/inputs.ts';
import { ClusterPKI, type KubeObject } from '../../../crds/index.ts';
import { clusterOf, nodeOf } from '../../support/cluster-objects.ts';

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

describe('authorities', () => {
  const pkiWith = (...names: string[]) =>
    ClusterPKI.parse({
      apiVersion: 'firn.dev/v1alpha1',
      kind: 'ClusterPKI',
      metadata: { name: 'demo', namespace: 'demo', uid: 'pki', resourceVersion: '1' },
      spec: {},
      status: {
        authorities: names.map((name) => ({
          ...{ name, secretName: `demo-${name}-ca`, notAfter: at },
          fingerprint: 'a'.repeat(64),
        })),
      },
    });
  const known: KubeObject[] = [pkiWith('cluster', 'etcd', 'front-proxy'), clusterOf()];
  const by = (index: Index<KubeObject>, _: string, value: string) =>
    known.filter((one) => one.kind === index.kind.kind && [...index.valuesOf(one)].includes(value));
  const read = { by } as unknown as CacheReader;
  const woken = (name: string) =>
    clustersOfSecret({ metadata: { namespace: 'demo', name } } as KubeObject, read).map((one) => one.name);

  test('those by which the operator is known there concern a cluster', () => {
    expect(['demo-cluster-ca', 'demo-etcd-ca', 'demo-front-proxy-ca'].map(woken)).toEqual([
      ['demo'],
      ['demo'],
      [],
    ]);
  });
  test('so does that they are there at all', () => {
    const [none, one, both] = [pkiWith(), pkiWith('cluster'), pkiWith('cluster', 'etcd')].map((pki) =>
      JSON.stringify(pkiForCluster(pki)),
    );
    expect(new Set([none, one, both]).size).toBe(3);
  });
});
