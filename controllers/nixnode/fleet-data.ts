/** What a member's host knows of the other nodes: files that change whenever the fleet does, and cost it nothing else. */
import type { ClusterFrontend, NixCluster } from '../../crds/index.ts';
import { frontendsFile } from '../clusterfrontend/file.ts';
import { dataTree } from '../lib/nix/release.ts';
import type { Tree } from '../lib/nix/tree.ts';
import { apiPort, controlPlanesOf, hostPort, primaryAddressOf } from '../nixcluster/control-planes.ts';
import { etcdClusterFile } from '../nixcluster/etcd/file.ts';
import { routingOf } from '../nixcluster/network.ts';
import { type PeersFile, printPeersFile } from '../wireguardmesh/peers.ts';

type Nodes = NonNullable<NonNullable<NixCluster['status']>['nodes']>;

/** The data part of the node called `self`; `peers` is null where there is no mesh. */
export function fleetData(
  cluster: NixCluster,
  peers: PeersFile | null,
  self: string,
  frontends: readonly ClusterFrontend[] = [],
): Tree {
  const nodes = cluster.status?.nodes ?? [];
  const others = nodes.filter(({ name }) => name !== self);
  const files = new Map([['node-addresses', lines(others.flatMap((node) => node.underlayAddresses))]]);
  if (routingOf(cluster.spec.network) === 'Direct') files.set('routes', lines(others.flatMap(routesTo)));
  if (peers) files.set('peers.json', printPeersFile(peers));
  const servers = apiServers(cluster);
  if (servers.length > 0) files.set('api-servers', lines(servers));
  const initial = cluster.status?.etcd?.initial;
  if (initial?.for.includes(self)) files.set('etcd-cluster', etcdClusterFile(initial));
  if (frontends.length > 0) files.set('frontends', frontendsFile(frontends));
  const { domain } = cluster.spec.network;
  const hosts = nodes.flatMap(({ name, addresses }) =>
    addresses.map((address) => ({ address, names: [`${name}.${domain}`, name] })),
  );
  return dataTree({ hosts, files });
}

/** Those that do not answer yet are in it too: who balances looks by himself. */
const apiServers = (cluster: NixCluster): string[] =>
  controlPlanesOf(cluster).map((node) => hostPort(primaryAddressOf(cluster, node), apiPort));

/** Each subnet by the first of the node's own addresses that is of the same family. */
const routesTo = ({ podCIDRs, underlayAddresses }: Nodes[number]): string[] =>
  podCIDRs.flatMap((subnet) => {
    const via = underlayAddresses.find((address) => address.includes(':') === subnet.includes(':'));
    return via === undefined ? [] : [`${subnet} via ${via}`];
  });

const lines = (entries: readonly string[]): string =>
  [...new Set(entries)]
    .sort()
    .map((entry) => `${entry}\n`)
    .join('');
