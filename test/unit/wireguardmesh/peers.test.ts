import {
  emptyPeersFile,
  peersFile,
  printPeersFile,
  readByNodes,
} from '../../../controllers/wireguardmesh/peers.ts';
import { clusterOf, meshNodeOf, meshWith, publicKeyOf } from '../../support/mesh.ts';

const laptop = { name: 'laptop', publicKey: publicKeyOf('laptop'), allowedIPs: ['fd89::10/128'] };
const both = { epochs: [1, 2] };

test('a node gets the others as peers, sorted, and what is routed to them', () => {
  const mesh = meshWith([meshNodeOf(2), meshNodeOf(1), meshNodeOf(3, { behindNAT: true })], {
    spec: { externalPeers: [laptop], mtu: 1420 },
  });
  expect(peersFile(mesh, clusterOf([1, 2, 3]), 'node1')).toEqual({
    interface: 'wgkube',
    addresses: ['fd88:1::1', '10.88.1.1'],
    networks: ['fd88::/16', '10.88.0.0/13', 'fd89::10/128'],
    mtu: 1420,
    epochs: [
      {
        epoch: 1,
        device: 'wgkube',
        listenPort: 51820,
        active: true,
        peers: [
          {
            name: 'laptop',
            publicKey: laptop.publicKey,
            endpoint: null,
            keepalive: 25,
            allowedIPs: ['fd89::10/128'],
            preshared: false,
          },
          {
            name: 'node2',
            publicKey: publicKeyOf('node2/1'),
            endpoint: '192.0.2.2:51820',
            keepalive: 25,
            allowedIPs: ['fd88:2::/32', '10.88.2.0/24'],
            preshared: true,
          },
          {
            name: 'node3',
            publicKey: publicKeyOf('node3/1'),
            endpoint: null,
            keepalive: 25,
            allowedIPs: ['fd88:3::/32', '10.88.3.0/24'],
            preshared: true,
          },
        ],
      },
    ],
  });
});

test('a pair behind NAT, and a laptop that only dials, go through a node that both reach', () => {
  const nat = { behindNAT: true } as const;
  const mesh = meshWith([meshNodeOf(1), meshNodeOf(2, nat), meshNodeOf(3, nat)], {
    spec: { externalPeers: [laptop] },
  });
  const cluster = clusterOf([1, 2, 3]);
  const peers = peersFile(mesh, cluster, 'node2')!.epochs[0]!.peers;
  expect(peers.map(({ name, allowedIPs }) => [name, allowedIPs])).toEqual([
    ['node1', ['fd88:1::/32', '10.88.1.0/24', '10.88.3.0/24', 'fd88:3::/32', 'fd89::10/128']],
  ]);
  const relay = peersFile(mesh, cluster, 'node1')!.epochs[0]!.peers;
  expect(relay.map(({ name, allowedIPs }) => [name, allowedIPs.length])).toEqual([
    ['laptop', 1],
    ['node2', 2],
    ['node3', 2],
  ]);
});

test('a peer with an endpoint is dialled by everybody', () => {
  const dialled = { ...laptop, name: 'office', endpoint: { host: '2001:db8::9', port: 4500 } };
  const mesh = meshWith([meshNodeOf(1, { behindNAT: true })], { spec: { externalPeers: [dialled] } });
  const [peer] = peersFile(mesh, clusterOf([1]), 'node1')!.epochs[0]!.peers;
  expect(peer).toMatchObject({ name: 'office', endpoint: '[2001:db8::9]:4500' });
});

test.each([
  [
    'Prepare',
    [
      ['wgkube', 51820, true],
      ['wgkube-b', 51821, false],
    ],
  ],
  [
    'Move',
    [
      ['wgkube', 51820, false],
      ['wgkube-b', 51821, true],
    ],
  ],
] as const)('in %s there are two devices', (stage, expected) => {
  const rotation = { stage, epoch: 2, startedAt: '2026-11-21T12:00:00Z' };
  const mesh = meshWith([meshNodeOf(1, both), meshNodeOf(2, both)], { status: { rotation } });
  const file = peersFile(mesh, clusterOf([1, 2]), 'node1')!;
  expect(file.epochs.map(({ device, listenPort, active }) => [device, listenPort, active])).toEqual(expected);
  expect(file.epochs.map(({ peers }) => peers.map((peer) => [peer.publicKey, peer.endpoint]))).toEqual([
    [[publicKeyOf('node2/1'), '192.0.2.2:51820']],
    [[publicKeyOf('node2/2'), '192.0.2.2:51821']],
  ]);
});

test('Retire has the new device alone', () => {
  const rotation = { stage: 'Retire', epoch: 2, startedAt: '2026-11-21T12:00:00Z' } as const;
  const mesh = meshWith([meshNodeOf(1, both), meshNodeOf(2, both)], { status: { epoch: 2, rotation } });
  const { epochs } = peersFile(mesh, clusterOf([1, 2]), 'node1')!;
  expect(epochs.map(({ epoch, active, peers }) => [epoch, active, peers.length])).toEqual([[2, true, 1]]);
});

test('whoever has no key of an epoch is nobody’s peer in it, and has none', () => {
  const mesh = meshWith([meshNodeOf(1), meshNodeOf(2, { epochs: [] }), meshNodeOf(3)]);
  const names = (self: string) =>
    peersFile(mesh, clusterOf([1, 2, 3]), self)!.epochs[0]!.peers.map(({ name }) => name);
  expect([names('node1'), names('node2'), names('node3')]).toEqual([['node3'], [], ['node1']]);
});

test('a node that the mesh does not know yet gets devices, to make keys for', () => {
  const mesh = meshWith([meshNodeOf(1)]);
  const cluster = clusterOf([1, 4]);
  expect(peersFile(mesh, cluster, 'node4')).toBeUndefined();
  expect(emptyPeersFile(mesh, cluster, 'node4')).toMatchObject({
    addresses: ['fd88:4::1', '10.88.4.1'],
    epochs: [{ epoch: 1, device: 'wgkube', active: true, peers: [] }],
  });
});

test('a mesh that lost its status takes no tunnel away', () => {
  const mesh = meshWith([meshNodeOf(1)], { status: { epoch: undefined } });
  expect(peersFile(mesh, clusterOf([1]), 'node1')).toBeUndefined();
  expect(() => emptyPeersFile(mesh, clusterOf([1]), 'node1')).toThrow(
    expect.objectContaining({ reason: 'MeshNotPlanned', verdict: 'waiting' }),
  );
});

test('what moves in the status all the time is not what nodes read', () => {
  const nodes = [meshNodeOf(1)];
  const quiet = meshWith(nodes);
  const busy = meshWith(nodes, {
    status: { connected: '1/1', size: 1, pairs: [], pairsAt: '2026-11-21T12:00:00Z' },
  });
  expect(readByNodes(busy)).toEqual(readByNodes(quiet));
  expect(readByNodes(meshWith([]))).not.toEqual(readByNodes(quiet));
});

test('is one line: every node gets one with each that joins', () => {
  const file = peersFile(meshWith([meshNodeOf(1)]), clusterOf([1]), 'node1')!;
  expect(printPeersFile(file)).toMatch(/^\{"interface":"wgkube",.*\}\n$/);
});
