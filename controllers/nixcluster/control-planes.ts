/** Which members run the control plane, and where others find them. Pure. */
import type { ClusterNode, NixCluster } from '../../crds/index.ts';

/** In the order of status.nodes, which is that of their names. */
export const controlPlanesOf = ({ status }: NixCluster): ClusterNode[] =>
  (status?.nodes ?? []).filter(({ roles }) => roles?.includes('control-plane'));

/** By which other components of the cluster reach a node: of the family of the first network of services. */
export function primaryAddressOf(cluster: NixCluster, node: ClusterNode): string {
  const isV6 = cluster.spec.network.services[0]!.includes(':');
  const addresses = nodeAddressesOf(cluster, node);
  return addresses.find((address) => address.includes(':') === isV6) ?? addresses[0]!;
}

/**
 * Those of its Node, one a family: in pods' networks, where mesh and routes are there before Kubernetes. Flannel comes after
 * it, so with that they are those by which nodes reach each other without.
 */
export function nodeAddressesOf(
  { spec }: NixCluster,
  { addresses, underlayAddresses }: ClusterNode,
): string[] {
  if (spec.network.cni !== 'Flannel') return addresses;
  return addresses.flatMap((own) => {
    const outer = underlayAddresses.find((address) => address.includes(':') === own.includes(':'));
    return outer ?? [];
  });
}

/** ADDRESS:PORT, with brackets where the address has colons itself. */
export const hostPort = (address: string, port: number): string =>
  `${address.includes(':') ? `[${address}]` : address}:${port}`;

/** Where the API server of each control-plane node listens, on all addresses, whatever the port of the endpoint in front of them. */
export const apiPort = 6443;
