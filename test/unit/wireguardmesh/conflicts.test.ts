import { externalsOf } from '../../../controllers/wireguardmesh/externals.ts';
import { membersOf } from '../../../controllers/wireguardmesh/members.ts';
import { peersFile } from '../../../controllers/wireguardmesh/peers.ts';
import { portConflict } from '../../../controllers/wireguardmesh/ports.ts';
import { refuseToReplace } from '../../../controllers/wireguardmesh/secret.ts';
import { WireguardMesh } from '../../../crds/index.ts';
import { clusterOf, meshNodeOf, meshWith, nodeOf, publicKeyOf } from '../../support/mesh.ts';

const peer = (name: string, allowedIPs: string[], publicKey = publicKeyOf(name)) => ({
  name,
  publicKey,
  allowedIPs,
});
const cluster = clusterOf([1, 2]);

describe('external peers', () => {
  test.each([
    ['pods', ['10.88.9.0/24'], '10.88.9.0/24 overlaps network.pods of the cluster'],
    ['the address of a node', ['192.0.2.0/24'], '192.0.2.0/24 overlaps 192.0.2.1, by which node1 is reached'],
    ['everything', ['::/0'], '::/0 overlaps network.pods of the cluster'],
    ['another peer', ['fd89::/64'], 'fd89::/64 overlaps external peer laptop'],
  ])('one that would take %s is left out', (_, allowedIPs, words) => {
    const mesh = meshWith([meshNodeOf(1), meshNodeOf(2)], {
      spec: { externalPeers: [peer('laptop', ['fd89::10/128']), peer('greedy', allowedIPs)] },
    });
    const { usable, conflicts } = externalsOf(mesh, cluster);
    expect(usable.map(({ name }) => name)).toEqual(['laptop']);
    expect(conflicts).toEqual([
      { reason: 'ExternalPeerOverlaps', peer: 'greedy', message: expect.stringContaining(words) },
    ]);
    const { peers } = peersFile(mesh, cluster, 'node1')!.epochs[0]!;
    expect(peers.map(({ name }) => name)).toEqual(['laptop', 'node2']);
  });

  test('services count, too', () => {
    const apart = clusterOf([1], {
      network: {
        meshRef: { name: 'demo' },
        pods: [{ cidr: '10.88.0.0/16', nodePrefix: 24 }],
        services: ['10.99.0.0/24'],
      },
    });
    const mesh = meshWith([meshNodeOf(1)], { spec: { externalPeers: [peer('greedy', ['10.99.0.7/32'])] } });
    expect(externalsOf(mesh, apart).conflicts[0]?.message).toContain('network.services of the cluster');
  });

  test('neither name nor key of a node', () => {
    const mesh = meshWith([meshNodeOf(1), meshNodeOf(2)], {
      spec: {
        externalPeers: [
          peer('node2', ['fd89::1/128']),
          peer('laptop', ['fd89::2/128'], publicKeyOf('node1/1')),
        ],
      },
    });
    const { usable, conflicts } = externalsOf(mesh, cluster);
    expect(usable).toEqual([]);
    expect(conflicts.map(({ reason }) => reason)).toEqual(['ExternalPeerNamedLikeNode', 'MeshKeyNotUnique']);
  });
});

describe('ports', () => {
  const conflictOf = (spec: Record<string, unknown>, node: Record<string, unknown> = {}) =>
    portConflict(meshWith([], { spec }), cluster, membersOf(cluster, [nodeOf(1, { spec: node })]))?.message;
  const ssh = (port: number) => ({
    ssh: {
      host: '192.0.2.1',
      port,
      keyRef: { name: 'k' },
      hostKeys: ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI'],
    },
  });

  test('what is free is free', () => {
    expect(conflictOf({})).toBeUndefined();
  });
  test.each([51820, 51821])('SSH at %d', (port) => {
    expect(conflictOf({}, ssh(port))).toContain(`port ${port} is that of SSH on node1`);
  });
  test('an endpoint without a next port', () => {
    expect(conflictOf({}, { mesh: { endpoint: 'a.example.com:65535' } })).toContain('has no next one');
  });
  test("the cluster's endpoint", () => {
    const other = clusterOf([1], { endpoint: { host: 'kube.example.com', port: 7443 } });
    expect(portConflict(meshWith([], { spec: { listenPort: 7442 } }), other, [])?.message).toContain(
      "port 7443 is that of the cluster's endpoint",
    );
  });

  test.each([53, 52, 2379, 2378, 10_250, 30_000, 29_999, 32_767, 65_535])(
    'the schema refuses %d',
    (listenPort) => {
      expect(() => meshWith([], { spec: { listenPort } })).toThrow(/listenPort/);
    },
  );
  test.each([1024, 51_820, 29_998, 32_768, 65_534])('the schema takes %d', (listenPort) => {
    expect(meshWith([], { spec: { listenPort } }).spec.listenPort).toBe(listenPort);
  });
});

test('a short mesh gets its defaults', () => {
  expect(meshWith([]).spec).toEqual({
    interface: 'wgkube',
    listenPort: 51_820,
    persistentKeepalive: '25s',
    presharedKeys: true,
    keyRotation: {},
    externalPeers: [],
  });
});

test('two external peers with one key are refused by the schema', () => {
  const twins = [peer('a', ['fd89::1/128'], publicKeyOf('x')), peer('b', ['fd89::2/128'], publicKeyOf('x'))];
  expect(() => meshWith([], { spec: { externalPeers: twins } })).toThrow(/same publicKey/);
});

describe('the secret', () => {
  const fresh = (status: Partial<WireguardMesh['status']> = {}) =>
    WireguardMesh.parse({ ...meshWith([]), status: { ...status } });
  const reasonOf = (...args: Parameters<typeof refuseToReplace>): unknown => {
    try {
      refuseToReplace(...args);
    } catch (error) {
      return (error as { reason: string }).reason;
    }
    return 'may be made';
  };
  const member = { status: { member: { cluster: 'demo', index: 1 } } };

  test.each([
    ['a new mesh of hosts that were asked', fresh(), [nodeOf(1)], 'may be made'],
    [
      'a new mesh, and a host that was not asked yet',
      fresh(),
      [nodeOf(1, { status: { lastObserved: undefined } })],
      'MeshMembersUnobserved',
    ],
    ['status lost, hosts living', fresh(), [nodeOf(1, member)], 'MeshSecretMissing'],
    ['made, and not seen yet', fresh({ epoch: 1 }), [nodeOf(1, member)], 'may be made'],
    ['made, and gone', fresh({ epoch: 1, secretName: 'demo-mesh' }), [nodeOf(1)], 'MeshSecretMissing'],
  ])('%s', (_, mesh, nodes, verdict) => {
    expect(reasonOf(mesh, 'demo', nodes)).toBe(verdict);
  });
});
