/** The address plan: what a number means in addresses, and which numbers are spoken for by others. Pure. */
import type { ClusterNetwork } from '../../crds/index.ts';
import {
  addressIn,
  contains,
  type Network,
  overlaps,
  parseNetwork,
  printAddress,
  printNetwork,
  subnetOf,
  subnetsOf,
  subnetsWithin,
} from '../lib/core/network.ts';
import { ReconcileError } from '../lib/core/outcome.ts';
import { several } from '../lib/core/several.ts';

/** How pods of different nodes reach each other: nix/modules/network.nix. */
export const routingOf = ({ cni, meshRef, routing }: ClusterNetwork): 'Mesh' | 'Direct' | 'External' =>
  meshRef ? 'Mesh' : cni === 'Flannel' ? 'External' : (routing ?? 'Direct');

/** Addresses that somebody has already; `whose` is how messages call them, e.g. `address 192.0.2.1 of NixNode a`. */
export type Claim = { network: Network; whose: string };
/** Numbers whose subnets hold addresses of somebody else; both ends belong to it. */
export type Taken = { first: number; last: number; whose: string };
type Numbered = { name: string; index: number };

/** As `spec.index` of a NixNode is bounded, too. */
const maxIndex = 65_535;

/** The subnets of the node of a number, in the order of `network.pods`, and the host's address in each. */
export function placeOf(network: ClusterNetwork, index: number): { podCIDRs: string[]; addresses: string[] } {
  const subnets = network.pods.map(({ cidr, nodePrefix }) => subnetOf(parseNetwork(cidr), nodePrefix, index));
  return {
    podCIDRs: subnets.map(printNetwork),
    addresses: subnets.map((subnet) => printAddress(addressIn(subnet, 1))),
  };
}

/** The smallest network of pods says how many nodes there can be; number 0 is nobody's. */
export function highestIndex({ pods }: ClusterNetwork): number {
  const counts = pods.map(({ cidr, nodePrefix }) => subnetsOf(parseNetwork(cidr), nodePrefix) - 1n);
  return Number([...counts, BigInt(maxIndex)].reduce((least, one) => (one < least ? one : least)));
}

export const servicesOf = (network: ClusterNetwork): Claim[] =>
  network.services.map((cidr) => ({ network: parseNetwork(cidr), whose: `services ${cidr}` }));

/** Numbers that no node can get, merged, in ascending order. */
export function takenIndexes(network: ClusterNetwork, claims: readonly Claim[]): Taken[] {
  const highest = BigInt(highestIndex(network));
  const found = network.pods.flatMap(({ cidr, nodePrefix }) => {
    const pods = parseNetwork(cidr);
    return claims.flatMap(({ network: claimed, whose }) => {
      const range = subnetsWithin(pods, nodePrefix, claimed);
      if (range === null || range.first > highest) return [];
      const last = range.last < highest ? range.last : highest;
      return [{ first: Number(range.first), last: Number(last), whose }];
    });
  });
  return found.sort((a, b) => a.first - b.first || a.last - b.last);
}

/**
 * Throws terminal `OverlapsServices` or `OverlapsPods` where addresses of nodes or external peers are also those of
 * services or of a node's pods: packets for one would go to the other. The messages say whose they are.
 */
export function checkOverlaps(
  network: ClusterNetwork,
  claims: readonly Claim[],
  nodes: readonly Numbered[],
): void {
  const services = claims.flatMap((claim) =>
    servicesOf(network)
      .filter((one) => overlaps(one.network, claim.network))
      .map((one) => `${claim.whose} is within ${one.whose}`),
  );
  if (services.length > 0) {
    const said = `${several(services, '; ')}. Give it other addresses: those of services lead to pods`;
    throw new ReconcileError('terminal', 'OverlapsServices', said);
  }
  const whole = claims.flatMap((claim) =>
    network.pods
      .filter(({ cidr }) => contains(claim.network, parseNetwork(cidr)))
      .map(({ cidr }) => `${claim.whose} covers all of pods ${cidr}`),
  );
  const taken = takenIndexes(network, claims);
  const subnets = nodes.flatMap(({ name, index }) =>
    taken
      .filter(({ first, last }) => first <= index && index <= last)
      .map(({ whose }) => `${whose} is within the subnets of NixNode ${name} (number ${index})`),
  );
  const pods = [...whole, ...subnets];
  if (pods.length > 0) {
    const said = `${several(pods, '; ')}. Give it other addresses: those lead to pods`;
    throw new ReconcileError('terminal', 'OverlapsPods', said);
  }
}
