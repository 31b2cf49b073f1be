/** What a member's system is told of its cluster: only what stays as it is when other nodes come and go. Pure. */
import type { ClusterNode, NixCluster, NixNode, WireguardMesh } from '../../crds/index.ts';
import type { NixValue } from '../lib/nix/print.ts';
import { routingOf } from '../nixcluster/network.ts';
import { kubernetesValues } from './kubernetes-values.ts';

/** Options below `firn`. */
export function memberValues(
  node: NixNode,
  cluster: NixCluster,
  place: ClusterNode,
  mesh: WireguardMesh | null,
): { [option: string]: NixValue } {
  const { network } = cluster.spec;
  return {
    network: {
      enable: true,
      nodeAddresses: place.addresses.map((address, at) => `${address}/${network.pods[at]!.nodePrefix}`),
      podNetworks: network.pods.map(({ cidr }) => cidr),
      serviceNetworks: network.services,
      bridge: network.cni !== 'None',
      masquerade: network.masquerade,
      allowInbound: network.allowInbound,
      routing: routingOf(network),
    },
    dns: { enable: true, domain: network.domain },
    kubernetes: kubernetesValues(node, cluster, place),
    ...(mesh && {
      mesh: { enable: true, interface: mesh.spec.interface, listenPort: mesh.spec.listenPort },
    }),
  };
}
