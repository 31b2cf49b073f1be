import { authorityData } from '../../../controllers/clusterpki/authority-secret.ts';
import { ReconcileError } from '../../../controllers/lib/core/outcome.ts';
import { Sealed } from '../../../controllers/lib/core/sealed.ts';
import type { Secret } from '../../../controllers/lib/kube/core-kinds.ts';
import type { Reader } from '../../../controllers/lib/runtime/controller.ts';
import { targetAccess } from '../../../controllers/nixcluster/access.ts';
import { ClusterPKI, NixNode } from '../../../crds/index.ts';
import { clusterOf, nodeOf } from '../../support/cluster-objects.ts';
import { idleAuthority, newAuthority, secretOf } from '../../support/pki.ts';

type Fields = { [field: string]: unknown };

const authority = await newAuthority('kubernetes-ca');
const secrets = new Map<string, Secret>([
  ['key', secretOf('key', { 'ssh-privatekey': new Sealed('a key') })],
  ['empty', secretOf('empty', {})],
  ['demo-cluster-ca', secretOf('demo-cluster-ca', authorityData(idleAuthority(authority)))],
]);
const madePki = {
  apiVersion: 'firn.dev/v1alpha1',
  kind: 'ClusterPKI',
  metadata: { name: 'demo', namespace: 'demo', uid: 'p', resourceVersion: '1' },
  spec: {},
  status: {
    authorities: [
      {
        name: 'cluster',
        secretName: 'demo-cluster-ca',
        fingerprint: 'a'.repeat(64),
        notAfter: '2036-11-21T10:00:00Z',
      },
    ],
  },
};

const reader = (nodes: readonly NixNode[], pki: Fields | null = madePki): Reader =>
  ({
    list: (kind: unknown) => (kind === NixNode ? nodes : []),
    get: (kind: unknown) => (kind === ClusterPKI && pki ? ClusterPKI.parse(pki) : undefined),
    load: async (_: unknown, __: string, name: string) => {
      const found = secrets.get(name);
      if (!found) throw new ReconcileError('waiting', 'SecretNotFound', `Secret ${name} does not exist`);
      return found;
    },
  }) as unknown as Reader;

const at = '2026-11-21T10:00:00Z';
const well = (...types: string[]) => ({
  conditions: types.map((type) => ({
    type,
    status: 'True',
    reason: 'Succeeded',
    message: '',
    lastTransitionTime: at,
  })),
});
const login = { host: '192.0.2.31', hostKeys: ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI'] };
const controlPlane = (name: string, more: { spec?: Fields; status?: Fields; metadata?: Fields } = {}) =>
  nodeOf(name, { ...more, spec: { clusterRef: { name: 'demo' }, roles: ['control-plane'], ...more.spec } });
const names = (ways: readonly { kind: string }[]) => ways.map((way) => ('node' in way ? way.node : way.kind));

test('goes over control-plane nodes alone, those first that are well', async () => {
  const nodes = [
    controlPlane('node1'),
    controlPlane('node2', { status: well('Reachable') }),
    controlPlane('node3', { status: well('Reachable', 'Ready') }),
    nodeOf('node4', { spec: { clusterRef: { name: 'demo' }, roles: ['worker'] }, status: well('Ready') }),
    controlPlane('node5', { spec: { clusterRef: { name: 'other' } } }),
  ];
  const access = await targetAccess(clusterOf(), reader(nodes));
  expect(names(access.ways)).toEqual(['node3', 'node2', 'node1']);
  expect(access.ways[0]).toMatchObject({ address: '127.0.0.1', port: 6443 });
  expect(access.authority.signer.certificate).toBe(authority.certificate);
});

test('leaves out whom nobody can log in to, and does not go over one that leaves', async () => {
  const nodes = [
    controlPlane('node1', { spec: { ssh: { ...login, keyRef: { name: 'missing' } } } }),
    controlPlane('node2', {
      spec: { ssh: { host: '192.0.2.32', keyRef: { name: 'key' }, hostKeyPolicy: 'TrustOnFirstUse' } },
    }),
    controlPlane('node3', { metadata: { deletionTimestamp: at } }),
    controlPlane('node4'),
  ];
  const access = await targetAccess(clusterOf(), reader(nodes));
  expect(names(access.ways)).toEqual(['node4']);
  expect(access.hosts.map(({ node }) => node)).toEqual(['node3', 'node4']);
  await expect(targetAccess(clusterOf(), reader(nodes.slice(0, 3)))).rejects.toMatchObject({
    reason: 'NoControlPlane',
    message: expect.stringMatching(
      /node1 \(Secret missing does not exist\); node2 \(its host key is not pinned yet\)$/,
    ),
  });
});

test('goes to the endpoint itself where that is asked for', async () => {
  const access = await targetAccess(clusterOf({}, {}, { access: 'Direct' }), reader([]));
  expect(access.ways).toEqual([{ kind: 'Direct', host: 'kube.example.com', port: 6443 }]);
});

test.each<[string, NixNode[], Fields | null, string, RegExp]>([
  ['nobody', [], madePki, 'NoControlPlane', /set spec\.roles/],
  [
    'a Secret without a key',
    [controlPlane('node1', { spec: { ssh: { ...login, keyRef: { name: 'empty' } } } })],
    madePki,
    'NoControlPlane',
    /has no key ssh-privatekey/,
  ],
  ['no ClusterPKI', [controlPlane('node1')], null, 'WaitingForPKI', /is not there yet/],
  [
    'no authority',
    [controlPlane('node1')],
    { ...madePki, status: {} },
    'WaitingForPKI',
    /makes authorities and keys first/,
  ],
])('says what it waits for: %s', async (_, nodes, pki, reason, words) => {
  await expect(targetAccess(clusterOf(), reader(nodes, pki))).rejects.toMatchObject({
    reason,
    message: expect.stringMatching(words),
  });
});
