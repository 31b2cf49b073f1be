/** What a NixCluster refuses to plan, and what it waits for, against a real API server. */
import { eventually } from '../support/eventually.ts';
import { expectHonestStatus } from '../support/honest-status.ts';
import {
  type ClusterPlay,
  clusterIn,
  conditionIn,
  nodeIn,
  numbersIn,
  startClusterPlay,
} from '../support/nixclusters.ts';

let play: ClusterPlay;

beforeAll(async () => {
  play = await startClusterPlay();
}, 120_000);

afterAll(async () => {
  await play?.stop();
});

describe('two members that want one number', () => {
  const namespace = 'rivals';

  test('stall the cluster, which names both and gives it to neither', async () => {
    await play.newNamespace(namespace);
    await play.apply([
      clusterIn(namespace),
      ...['a', 'b'].map((name) => nodeIn(namespace, name, { index: 7 })),
      nodeIn(namespace, 'c'),
    ]);
    for (const name of ['a', 'b', 'c']) await play.hostSays(namespace, name, {});
    await eventually(async () => {
      const seen = await play.get(namespace);
      expect(conditionIn(seen, 'Stalled')).toMatchObject({
        status: 'True',
        reason: 'IndexConflict',
        message: expect.stringMatching(/^number 7 belongs to more than one of the NixNodes a, b,/),
      });
      expect(numbersIn(seen)).toEqual({ c: 1 });
      expectHonestStatus(seen);
    });
  });

  test('and it goes on once one of them is gone', async () => {
    await play.kubectl(['delete', 'nixnode', 'b', '-n', namespace]);
    await eventually(async () => expect(numbersIn(await play.get(namespace))).toEqual({ a: 7, c: 1 }));
  });
});

describe('what a cluster names', () => {
  const namespace = 'names';

  test('is waited for, and no number is given before the mesh says who else has addresses', async () => {
    await play.newNamespace(namespace);
    const network = { meshRef: { name: 'mesh' } };
    await play.apply([clusterIn(namespace, network, { pkiRef: { name: 'own' } }), nodeIn(namespace, 'a')]);
    await play.hostSays(namespace, 'a', {});
    await eventually(async () =>
      expect(conditionIn(await play.get(namespace), 'Planned')).toMatchObject({
        reason: 'WireguardMeshNotFound',
      }),
    );
    const publicKey = 'pHEYIfgWiJEgnR8zKYGnWlbZbQZ0xb5eEyzVSpzz3BM=';
    const externalPeers = [{ name: 'laptop', publicKey, allowedIPs: ['10.88.1.0/24'] }];
    await play.apply([
      {
        apiVersion: 'firn.dev/v1alpha1',
        kind: 'WireguardMesh',
        metadata: { name: 'mesh', namespace },
        spec: { externalPeers },
      },
    ]);
    await eventually(async () =>
      expect(conditionIn(await play.get(namespace), 'Planned')).toMatchObject({
        reason: 'ClusterPKINotFound',
      }),
    );
    await play.apply([
      { apiVersion: 'firn.dev/v1alpha1', kind: 'ClusterPKI', metadata: { name: 'own', namespace }, spec: {} },
    ]);
    await eventually(async () => expect(numbersIn(await play.get(namespace))).toEqual({ a: 2 }));
    const pkis = await play.kubectl(['get', 'clusterpkis', '-n', namespace, '-o', 'name']);
    expect(pkis.trim()).toBe('clusterpki.firn.dev/own');
  });

  test('the network may change while no node has a number', async () => {
    await play.newNamespace('fresh');
    await play.apply([clusterIn('fresh')]);
    await eventually(async () =>
      expect(conditionIn(await play.get('fresh'), 'Ready')?.reason).toBe('NoMembers'),
    );
    await play.apply([
      clusterIn('fresh', { pods: [{ cidr: '10.1.0.0/16', nodePrefix: 24 }], services: ['10.1.0.0/24'] }),
    ]);
  });
});

describe('a node whose own address is one of pods', () => {
  const namespace = 'stray';

  test('stalls the cluster, which hands out nothing meanwhile and changes nothing', async () => {
    await play.newNamespace(namespace);
    await play.apply([clusterIn(namespace), nodeIn(namespace, 'node2', { index: 5 })]);
    await play.hostSays(namespace, 'node2', {});
    await eventually(async () => expect(numbersIn(await play.get(namespace))).toEqual({ node2: 5 }));
    await play.apply([nodeIn(namespace, 'stray', { addresses: ['10.88.5.77'] })]);
    await play.hostSays(namespace, 'stray', {});
    await eventually(async () => {
      const seen = await play.get(namespace);
      expect(conditionIn(seen, 'Stalled')).toMatchObject({
        status: 'True',
        reason: 'OverlapsPods',
        message: expect.stringContaining(
          'address 10.88.5.77 of NixNode stray is within the subnets of NixNode node2',
        ),
      });
      expect(numbersIn(seen)).toEqual({ node2: 5 });
      expectHonestStatus(seen);
    });
  });

  test('and one whose address no node has leads past that number', async () => {
    await play.kubectl(['delete', 'nixnode', 'stray', '-n', namespace]);
    await play.apply([nodeIn(namespace, 'beside', { addresses: ['10.88.1.77'] })]);
    await play.hostSays(namespace, 'beside', {});
    await eventually(async () =>
      expect(numbersIn(await play.get(namespace))).toEqual({ beside: 2, node2: 5 }),
    );
  });
});
