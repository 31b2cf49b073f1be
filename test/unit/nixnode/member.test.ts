/** What a member's host is told, and what it says: only files change when other nodes come and go. */
import { print } from '../../../controllers/lib/nix/print.ts';
import { hashTree, type Tree } from '../../../controllers/lib/nix/tree.ts';
import { fleetData } from '../../../controllers/nixnode/fleet-data.ts';
import { recheckAfter } from '../../../controllers/nixnode/health.ts';
import {
  memberOf,
  meshStatusOf,
  pkiStatusOf,
  saysTheSame,
} from '../../../controllers/nixnode/member-status.ts';
import { memberValues } from '../../../controllers/nixnode/member-values.ts';
import { emptyPeersFile, peersFile } from '../../../controllers/wireguardmesh/peers.ts';
import type { NixCluster, WireguardMesh } from '../../../crds/index.ts';
import { clusterOf, meshNodeOf, meshWith, nameOf, nodeOf, publicKeyOf } from '../../support/mesh.ts';
import { observation } from '../../support/observation.ts';

const peersOf = (mesh: WireguardMesh, cluster: NixCluster, self: string) =>
  peersFile(mesh, cluster, self) ?? emptyPeersFile(mesh, cluster, self);
const dataOf = (cluster: NixCluster, mesh: WireguardMesh, self: string): Tree =>
  fleetData(cluster, peersOf(mesh, cluster, self), self);
const text = (tree: Tree, path: string): string => String(tree.get(path));
const direct = (indexes: number[], network = {}): NixCluster => {
  const { spec } = clusterOf(indexes);
  const { meshRef, ...rest } = spec.network;
  return clusterOf(indexes, { network: { ...rest, ...network } });
};
const valuesOf = (indexes: number[]) => {
  const cluster = clusterOf(indexes);
  return memberValues(
    nodeOf(1),
    cluster,
    cluster.status!.nodes![0]!,
    meshWith(indexes.map((n) => meshNodeOf(n))),
  );
};

describe('the system', () => {
  test('knows its own place and nobody else', () => {
    expect(valuesOf([1])).toMatchObject({
      network: {
        enable: true,
        nodeAddresses: ['fd88:1::1/32', '10.88.1.1/24'],
        podNetworks: ['fd88::/16', '10.88.0.0/13'],
        serviceNetworks: ['10.88.0.0/24'],
        routing: 'Mesh',
      },
      mesh: { enable: true, interface: 'wgkube', listenPort: 51_820 },
      dns: { enable: true, domain: 'k8s.internal' },
      kubernetes: { enable: true, roles: ['worker'] },
    });
  });

  test('stays the same whoever comes and goes', () => {
    expect(print(valuesOf([1, 2, 3, 4]) as never)).toBe(print(valuesOf([1]) as never));
  });

  test('has no mesh where the cluster has none', () => {
    const cluster = direct([1, 2], { routing: 'External' });
    const values = memberValues(nodeOf(1), cluster, cluster.status!.nodes![0]!, null);
    expect(values).not.toHaveProperty('mesh');
    expect(values).toMatchObject({ network: { routing: 'External' } });
  });
});

describe('fleet data', () => {
  test('has every node by name, the others by their addresses, and the peers', () => {
    const data = dataOf(clusterOf([1, 2]), meshWith([meshNodeOf(1), meshNodeOf(2)]), 'node1');
    expect(text(data, 'hosts').split('\n')).toEqual([
      '10.88.1.1 node1.k8s.internal node1',
      '10.88.2.1 node2.k8s.internal node2',
      'fd88:1::1 node1.k8s.internal node1',
      'fd88:2::1 node2.k8s.internal node2',
      '',
    ]);
    expect(text(data, 'node-addresses')).toBe('192.0.2.2\n');
    const { epochs } = JSON.parse(text(data, 'peers.json'));
    expect(epochs[0].peers.map((peer: { name: string }) => peer.name)).toEqual(['node2']);
    expect(data.has('routes')).toBe(false);
  });

  test('of a member that the mesh does not know yet makes it make keys', () => {
    const data = dataOf(clusterOf([1, 2]), meshWith([meshNodeOf(2)]), 'node1');
    expect(JSON.parse(text(data, 'peers.json'))).toMatchObject({
      addresses: ['fd88:1::1', '10.88.1.1'],
      epochs: [{ epoch: 1, peers: [] }],
    });
  });

  test('has routes where nodes share a link, each by an address of its family', () => {
    const data = fleetData(direct([1, 2]), null, 'node1');
    expect(text(data, 'routes')).toBe('10.88.2.0/24 via 192.0.2.2\n');
    expect(data.has('peers.json')).toBe(false);
    expect(fleetData(direct([1, 2], { routing: 'External' }), null, 'node1').has('routes')).toBe(false);
  });

  test('has API servers: control planes at their addresses of the family of services', () => {
    const withRoles = (cluster: NixCluster): NixCluster => {
      const nodes = cluster.status!.nodes!.map((node) => ({
        ...node,
        roles: node.index < 3 ? (['control-plane'] as const) : (['worker'] as const),
      }));
      return { ...cluster, status: { ...cluster.status, nodes } } as unknown as NixCluster;
    };
    const cluster = withRoles(clusterOf([1, 2, 3]));
    const servers = (of: NixCluster, self: string) => fleetData(of, null, self).get('api-servers');
    expect(servers(cluster, 'node3')).toBe('10.88.1.1:6443\n10.88.2.1:6443\n');
    expect(servers(cluster, 'node1')).toBe(servers(cluster, 'node3'));
    const v6 = withRoles(direct([1], { routing: 'External', services: ['fd88::/112'] }));
    expect(servers(v6, 'node1')).toBe('[fd88:1::1]:6443\n');
    expect(servers(clusterOf([1, 2]), 'node1')).toBeUndefined();
  });

  test('says which etcd a member becomes part of to those alone who have none yet', () => {
    const cluster = clusterOf([1, 2]);
    const members = [
      { name: 'node1-a', url: 'https://10.88.1.1:2380' },
      { name: 'node2-b', url: 'https://[fd88:2::1]:2380' },
    ];
    const status = {
      ...cluster.status,
      etcd: { initial: { state: 'existing', start: 'a1b2', members, for: ['node2'] } },
    };
    const of = (self: string) => fleetData({ ...cluster, status } as unknown as NixCluster, null, self);
    expect(of('node2').get('etcd-cluster')).toBe(
      'state existing\nstart a1b2\nmember node1-a https://10.88.1.1:2380\nmember node2-b https://[fd88:2::1]:2380\n',
    );
    expect(of('node1').has('etcd-cluster')).toBe(false);
  });

  test('is the same for the same cluster, in whatever order it is listed', () => {
    const nodes = [1, 2, 3].map((n) => meshNodeOf(n));
    const one = dataOf(clusterOf([1, 2, 3]), meshWith(nodes), 'node2');
    const other = dataOf(clusterOf([3, 1, 2]), meshWith([...nodes].reverse()), 'node2');
    expect(hashTree(one)).toBe(hashTree(other));
  });
});

describe('what the host says', () => {
  const now = 1_800_000_000;
  const mesh = meshWith([1, 2, 3].map((n) => meshNodeOf(n)));
  const cluster = clusterOf([1, 2, 3]);
  const key = (n: number) => publicKeyOf(`${nameOf(n)}/1`);
  const seenWith = (peers: [string, number, number, number][], problemB64 = '') => ({
    time: now,
    wireguard: {
      keys: [{ epoch: 1, publicKey: key(1) }],
      devices: [{ epoch: 1, device: 'wgkube', listenPort: 51_820, mtu: 1420, active: true, peers }],
      problemB64,
    },
  });

  test('names its peers, the worst first', () => {
    const seen = seenWith([
      [key(2), now - 60, 10, 20],
      [key(3), now - 600, 30, 40],
    ]);
    expect(meshStatusOf(seen, mesh, peersOf(mesh, cluster, 'node1'))).toEqual({
      keys: [{ epoch: 1, publicKey: key(1) }],
      active: 1,
      port: 51_820,
      mtu: 1420,
      peers: 2,
      connected: 1,
      details: [
        {
          name: 'node3',
          epoch: 1,
          state: 'Down',
          lastHandshake: '2027-01-15T07:50:00Z',
          receivedBytes: 30,
          sentBytes: 40,
        },
        {
          name: 'node2',
          epoch: 1,
          state: 'Connected',
          lastHandshake: '2027-01-15T07:59:00Z',
          receivedBytes: 10,
          sentBytes: 20,
        },
      ],
    });
  });

  test('misses the peers that it does not have, whatever else it says', () => {
    expect(meshStatusOf({ time: now, wireguard: null }, mesh, peersOf(mesh, cluster, 'node1'))).toMatchObject(
      {
        peers: 2,
        connected: 0,
      },
    );
    const seen = seenWith([], 'port 51820 is taken');
    expect(meshStatusOf(seen, mesh, peersOf(mesh, cluster, 'node1'))).toMatchObject({
      peers: 2,
      connected: 0,
      problem: 'port 51820 is taken',
    });
  });

  test('says the same as long as only ages and bytes move', () => {
    const of = (...peers: [string, number, number, number][]) =>
      meshStatusOf(seenWith(peers), mesh, peersOf(mesh, cluster, 'node1'));
    const before = of([key(2), now - 60, 10, 20], [key(3), now - 60, 0, 0]);
    expect(saysTheSame(before, of([key(2), now - 10, 99, 99], [key(3), now - 90, 1, 1]))).toBe(true);
    expect(saysTheSame(before, of([key(2), now - 10, 99, 99], [key(3), now - 999, 1, 1]))).toBe(false);
  });

  test('is looked at sooner while peers are missing, and the later the longer they are and the more there are', () => {
    const meshOfPeers = (peers: number, state: 'Connected' | 'Waiting') => ({
      peers,
      details: [{ name: 'x', epoch: 1, state, receivedBytes: 0, sentBytes: 0 }],
    });
    expect(recheckAfter(undefined, 0)).toBe(300_000);
    expect(recheckAfter(meshOfPeers(2, 'Connected'), 0)).toBe(300_000);
    expect(recheckAfter(meshOfPeers(2, 'Waiting'), 0)).toBe(2_000);
    expect(recheckAfter(meshOfPeers(2, 'Waiting'), 40_000)).toBe(10_000);
    expect(recheckAfter(meshOfPeers(2, 'Waiting'), 3_600_000)).toBe(60_000);
    expect(recheckAfter(meshOfPeers(2000, 'Waiting'), 0)).toBe(120_000);
  });

  test('is its own record of the cluster', () => {
    const nixpkgs = { url: 'path:/srv/nixpkgs', locked: '{}' };
    const manifestB64 = JSON.stringify({ cluster: { name: 'demo', index: 7 }, nixpkgs });
    expect(memberOf(observation({ manifestB64 }))).toEqual({ cluster: 'demo', index: 7, nixpkgs });
    expect(memberOf(observation({ manifestB64: '{"cluster":{"name":"demo","index":0}}' }))).toBeUndefined();
    expect(pkiStatusOf(observation({ manifestB64 }))).toBeUndefined();
  });
});
