/** NixCluster from its first node to a status that is lost, against a real API server. */
import { eventually } from '../support/eventually.ts';
import { expectHonestStatus } from '../support/honest-status.ts';
import {
  type ClusterPlay,
  clusterIn,
  conditionIn,
  lastTransitionTime,
  nodeIn,
  numbersIn,
  startClusterPlay,
  truth,
  url,
} from '../support/nixclusters.ts';
import type { Fields } from '../support/play.ts';

let play: ClusterPlay;

beforeAll(async () => {
  play = await startClusterPlay();
}, 120_000);

afterAll(async () => {
  await play?.stop();
});

describe('a cluster from its first node to its last', () => {
  const namespace = 'living';

  test('hands out numbers once every host was asked, and asks one of them for nixpkgs', async () => {
    await play.newNamespace(namespace);
    await play.apply([
      clusterIn(namespace),
      ...['node1', 'node2', 'node10'].map((name) =>
        nodeIn(namespace, name, name === 'node2' ? { index: 5 } : {}),
      ),
    ]);
    await play.hostSays(namespace, 'node10', {});
    await eventually(async () => {
      const seen = await play.get(namespace);
      expect(conditionIn(seen, 'Allocated')).toMatchObject({
        status: 'False',
        reason: 'MembersUnobserved',
        message: expect.stringContaining('not heard yet: node1.'),
      });
      expect(numbersIn(seen)).toEqual({});
      expectHonestStatus(seen);
    });
    await play.hostSays(namespace, 'node1', {});
    await play.hostSays(namespace, 'node2', {});
    await eventually(async () => {
      const seen = await play.get(namespace);
      expect(numbersIn(seen)).toEqual({ node1: 1, node2: 5, node10: 2 });
      expect(conditionIn(seen, 'Pinned')).toMatchObject({ status: 'False', reason: 'ResolvingNixpkgs' });
      expect(seen.status.resolver).toBe('node1');
      expect(seen.status.nodes![0]).toMatchObject({
        podCIDRs: ['fd88:1::/32', '10.88.1.0/24'],
        addresses: ['fd88:1::1', '10.88.1.1'],
      });
    });
  });

  test('makes a ClusterPKI that does not go with it', async () => {
    const pki = JSON.parse(await play.kubectl(['get', 'clusterpki', 'demo', '-n', namespace, '-o', 'json']));
    expect(pki.metadata.ownerReferences).toBeUndefined();
    expect(pki.metadata.labels).toMatchObject({ 'firn.dev/cluster': 'demo' });
    await eventually(async () => {
      const events = await play.kubectl([
        'get',
        'events',
        '-n',
        namespace,
        '-o',
        'jsonpath={.items[*].reason}',
      ]);
      expect(events).toContain('PkiCreated');
    });
  });

  const locked = JSON.stringify({
    type: 'github',
    owner: 'NixOS',
    repo: 'nixpkgs',
    rev: 'a'.repeat(40),
    narHash: `sha256-${'A'.repeat(43)}=`,
    lastModified: 1_790_000_000,
  });

  test('keeps what the host found, and is ready with its members', async () => {
    await play.hostSays(namespace, 'node1', { nixpkgs: { url, locked } });
    await eventually(async () =>
      expect((await play.get(namespace)).status.nixpkgs?.rev).toBe('a'.repeat(40)),
    );
    const facts = { addresses: ['192.0.2.1', '2001:db8::1'] };
    const ready = [truth('Ready'), truth('Reachable')];
    for (const [name, index] of [
      ['node1', 1],
      ['node2', 5],
      ['node10', 2],
    ] as const) {
      const member = { cluster: 'demo', index, nixpkgs: { url, locked } };
      await play.hostSays(namespace, name, { conditions: ready, member, facts });
    }
    await eventually(async () => {
      const seen = await play.get(namespace);
      expect(conditionIn(seen, 'MembersReady')).toMatchObject({ status: 'False', reason: 'UnderlayMissing' });
      expect(seen.status.members).toBe('3/3');
    });
    for (const [name, at] of [
      ['node1', 1],
      ['node2', 2],
      ['node10', 3],
    ] as const) {
      const addresses = [`192.0.2.${at}`, `2001:db8::${at}`];
      await play.kubectl([
        'patch',
        'nixnode',
        name,
        '-n',
        namespace,
        '--type=merge',
        '-p',
        JSON.stringify({ spec: { addresses } }),
      ]);
    }
    await eventually(async () => {
      const seen = await play.get(namespace);
      expect(conditionIn(seen, 'MembersReady')?.status).toBe('True');
      expect(seen.status.resolver).toBeUndefined();
      expectHonestStatus(seen);
    });
  });

  test('shows itself in columns', async () => {
    const [head, row] = (await play.kubectl(['get', 'nc', '-n', namespace])).split('\n');
    expect(head!.trim().split(/ {2,}/)).toEqual([
      'NAME',
      'VERSION',
      'NODES',
      'READY',
      'STATUS',
      'ENDPOINT',
      'AGE',
    ]);
    // Workers alone are no cluster yet.
    expect(row).toMatch(/^demo +3\/3 +False +NoControlPlane +https:\/\/kube\.example\.com:6443 +\d+s *$/);
  });

  test.each<[string, Fields, RegExp]>([
    [
      'pods',
      { pods: [{ cidr: '10.1.0.0/16', nodePrefix: 24 }] },
      /spec\.network\.pods is immutable once a node has a number/,
    ],
    [
      'services',
      { services: ['10.96.0.0/24'] },
      /spec\.network\.services is immutable once a node has a number/,
    ],
    ['domain', { domain: 'other.internal' }, /domain is immutable/],
    ['meshRef', { meshRef: { name: 'mesh' } }, /meshRef is immutable/],
  ])('refuses another %s', async (_, network, message) => {
    expect(
      await play.refusal(
        ['apply', '--server-side', '--force-conflicts', '--dry-run=server', '-f', '-'],
        clusterIn(namespace, network),
      ),
    ).toMatch(message);
  });

  test('frees the number of a host that was reset, and retires those of others', async () => {
    const finalizers = { finalizers: ['firn.dev/nixnode'] };
    await play.apply([
      nodeIn(namespace, 'node3', {}, finalizers),
      nodeIn(namespace, 'node4', {}, finalizers),
    ]);
    for (const name of ['node3', 'node4']) await play.hostSays(namespace, name, {});
    await eventually(async () =>
      expect(numbersIn(await play.get(namespace))).toMatchObject({ node3: 3, node4: 4 }),
    );
    await play.kubectl(['delete', 'nixnode', 'node3', 'node4', '-n', namespace, '--wait=false']);
    for (const [name, outcome] of [
      ['node3', 'Reset'],
      ['node4', 'Orphaned'],
    ] as const)
      await play.hostSays(namespace, name, { deletion: { outcome, at: lastTransitionTime } });
    await eventually(async () => {
      const seen = await play.get(namespace);
      expect(numbersIn(seen)).toEqual({ node1: 1, node2: 5, node10: 2 });
      expect(seen.status.retiredIndexes).toEqual([expect.objectContaining({ index: 4, name: 'node4' })]);
    });
    for (const name of ['node3', 'node4'])
      await play.kubectl([
        'patch',
        'nixnode',
        name,
        '-n',
        namespace,
        '--type=merge',
        '-p',
        '{"metadata":{"finalizers":null}}',
      ]);
    await play.apply([nodeIn(namespace, 'node5'), nodeIn(namespace, 'node6')]);
    for (const name of ['node5', 'node6']) await play.hostSays(namespace, name, {});
    await eventually(async () =>
      expect(numbersIn(await play.get(namespace))).toMatchObject({ node5: 3, node6: 6 }),
    );
    await play.kubectl(['delete', 'nixnode', 'node5', 'node6', '-n', namespace]);
  });

  test('comes back as it was where its status is lost', async () => {
    await play.kubectl(['delete', 'nixcluster', 'demo', '-n', namespace]);
    await play.apply([clusterIn(namespace)]);
    await eventually(async () => {
      const seen = await play.get(namespace);
      expect(numbersIn(seen)).toEqual({ node1: 1, node2: 5, node10: 2 });
      expect(seen.status.nixpkgs?.locked).toBe(locked);
      expect(conditionIn(seen, 'MembersReady')?.status).toBe('True');
    });
  });
});
