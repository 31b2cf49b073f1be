/**
 * External peers, and which of them would take what belongs to others: those are left out of every host's file, and the
 * mesh is stalled with the words for it.
 */
import type { ExternalPeer, NixCluster, WireguardMesh } from '../../crds/index.ts';
import { hostNetwork, type Network, overlaps, parseAddress, parseNetwork } from '../lib/core/network.ts';

/** What is wrong with the objects of a mesh, and stays so until they change. */
export const conflictReasons = [
  'MeshPortTaken',
  'MeshKeyNotUnique',
  'ExternalPeerOverlaps',
  'ExternalPeerNamedLikeNode',
] as const;

export type Conflict = { reason: (typeof conflictReasons)[number]; message: string };
/** `peer` is left out for it. */
type PeerConflict = Conflict & { peer: string };

type Claim = { readonly network: Network; readonly whose: string };

/** In the order of the spec: of two that claim the same, the first has it. */
export function externalsOf(
  mesh: WireguardMesh,
  cluster: NixCluster,
): { usable: ExternalPeer[]; conflicts: PeerConflict[] } {
  const usable: ExternalPeer[] = [];
  const conflicts: PeerConflict[] = [];
  if (mesh.spec.externalPeers.length === 0) return { usable, conflicts };
  const claims = claimsOf(cluster);
  const names = new Set(cluster.status?.nodes?.map(({ name }) => name));
  for (const peer of mesh.spec.externalPeers) {
    const conflict = identityConflict(peer, mesh, names) ?? overlapOf(peer, claims);
    if (conflict !== undefined) conflicts.push({ ...conflict, peer: peer.name });
    else {
      usable.push(peer);
      claims.push(...claimsBy(peer.allowedIPs, `external peer ${peer.name}`));
    }
  }
  return { usable, conflicts };
}

const claimsBy = (networks: readonly string[], whose: string): Claim[] =>
  networks.map((network) => ({ network: parseNetwork(network), whose }));

function claimsOf({ spec, status }: NixCluster): Claim[] {
  const { pods, services } = spec.network;
  return [
    ...claimsBy(
      pods.map(({ cidr }) => cidr),
      'network.pods of the cluster',
    ),
    ...claimsBy(services, 'network.services of the cluster'),
    ...(status?.nodes ?? []).flatMap(({ name, underlayAddresses }) =>
      underlayAddresses.map((address) => ({
        network: hostNetwork(parseAddress(address)),
        whose: `${address}, by which ${name} is reached`,
      })),
    ),
  ];
}

function overlapOf(peer: ExternalPeer, claims: readonly Claim[]): Conflict | undefined {
  for (const written of peer.allowedIPs) {
    const network = parseNetwork(written);
    const claim = claims.find((other) => overlaps(network, other.network));
    if (claim === undefined) continue;
    const message = `external peer ${peer.name}: ${written} overlaps ${claim.whose}; give the peer other allowedIPs. It is left out until then`;
    return { reason: 'ExternalPeerOverlaps', message };
  }
  return undefined;
}

function identityConflict(
  peer: ExternalPeer,
  { status }: WireguardMesh,
  names: ReadonlySet<string>,
): Conflict | undefined {
  if (names.has(peer.name)) {
    const message = `external peer ${peer.name} has the name of a node; give it another. It is left out until then`;
    return { reason: 'ExternalPeerNamedLikeNode', message };
  }
  const twin = status?.nodes?.find(({ keys }) => keys.some(({ publicKey }) => publicKey === peer.publicKey));
  if (twin === undefined) return undefined;
  const message = `external peer ${peer.name} has the public key of node ${twin.name}; make a key for the peer with wg genkey. It is left out until then`;
  return { reason: 'MeshKeyNotUnique', message };
}
