/** The data file from which a host makes its devices, peers and routes. Pure; the unit `firn-mesh.service` reads it. */
import {
  type ExternalPeer,
  type MeshNode,
  type NixCluster,
  parseDuration,
  type WireguardMesh,
} from '../../crds/index.ts';
import { endpointOfPeer } from './endpoint.ts';
import { deviceOf, endpointAt, listedEpochs, portOf } from './epochs.ts';
import { externalsOf } from './externals.ts';
import { meetDirectly, relayFor, relaysOf } from './relays.ts';

export type Peer = {
  name: string;
  publicKey: string;
  /** `host:port`; null: it is never dialled. */
  endpoint: string | null;
  /** Seconds. */
  keepalive: number;
  /** Its own networks, and those of the nodes that it relays. */
  allowedIPs: string[];
  /** Whether there is a line for it in the file of preshared keys. */
  preshared: boolean;
};

export type PeersEpoch = {
  epoch: number;
  device: string;
  listenPort: number;
  /** Routes go by this device. */
  active: boolean;
  /** Sorted by name, then key. */
  peers: Peer[];
};

export type PeersFile = {
  /** The device of odd epochs; what firewalls know. */
  interface: string;
  /** Of the host, inside of the mesh. */
  addresses: string[];
  /** What is routed into the active device. */
  networks: string[];
  /** Bytes; null: the host derives it. */
  mtu: number | null;
  epochs: PeersEpoch[];
};

/** As the host reads it: the same file is the same bytes. */
export const printPeersFile = (file: PeersFile): string => `${JSON.stringify(file)}\n`;

/** What of a mesh its nodes depend on. The rest of its status moves all the time, and need not wake them. */
export const readByNodes = ({ spec, status }: WireguardMesh): unknown => ({
  spec,
  epoch: status?.epoch,
  rotation: status?.rotation && { stage: status.rotation.stage, epoch: status.rotation.epoch },
  nodes: status?.nodes,
});

/**
 * The file of the node `self`; undefined as long as the mesh knows neither it nor the keys in use. Peers are symmetric: a
 * pair is in it once both have a key of the epoch.
 */
export function peersFile(mesh: WireguardMesh, cluster: NixCluster, self: string): PeersFile | undefined {
  const node = mesh.status?.nodes?.find(({ name }) => name === self);
  if (node === undefined || mesh.status?.epoch === undefined) return undefined;
  const file = fileWithout(mesh, cluster, node.addresses);
  const neighbours = neighboursOf(mesh, externalsOf(mesh, cluster).usable, node);
  for (const { epoch, peers } of file.epochs) peers.push(...peersAt(epoch, mesh.spec, node, neighbours));
  return file;
}

/**
 * The file of a member that the mesh does not know yet: its own devices, so that it makes keys. Throws `waiting`
 * (`MeshNotPlanned`) while it is not known which keys are in use: an empty file would cost a living host its tunnels.
 */
export const emptyPeersFile = (mesh: WireguardMesh, cluster: NixCluster, self: string): PeersFile =>
  fileWithout(mesh, cluster, cluster.status?.nodes?.find(({ name }) => name === self)?.addresses ?? []);

function fileWithout(mesh: WireguardMesh, cluster: NixCluster, addresses: readonly string[]): PeersFile {
  const { spec } = mesh;
  return {
    interface: spec.interface,
    addresses: [...addresses],
    networks: [
      ...cluster.spec.network.pods.map(({ cidr }) => cidr),
      ...externalsOf(mesh, cluster)
        .usable.flatMap(({ allowedIPs }) => allowedIPs)
        .sort(),
    ],
    mtu: spec.mtu ?? null,
    epochs: listedEpochs(mesh).map(({ epoch, active }) => ({
      epoch,
      device: deviceOf(spec, epoch),
      listenPort: portOf(spec, epoch),
      active,
      peers: [],
    })),
  };
}

type Party = MeshNode | ExternalPeer;
/** Whom a node meets directly, and the networks that it sends there. */
type Neighbour = { readonly party: Party; readonly allowedIPs: readonly string[] };

const isNode = (party: Party): party is MeshNode => 'keys' in party;

function neighboursOf(mesh: WireguardMesh, externals: readonly ExternalPeer[], self: MeshNode): Neighbour[] {
  const others = (mesh.status?.nodes ?? []).filter((node) => node !== self);
  const relays = relaysOf(mesh);
  const direct: Party[] = [];
  const relayed = new Map<string, string[]>();
  for (const party of [...others, ...externals]) {
    if (meetDirectly(self, party)) direct.push(party);
    else {
      const relay = relayFor(self.name, party.name, relays);
      if (relay === undefined) continue;
      const networks = relayed.get(relay);
      if (networks === undefined) relayed.set(relay, [...party.allowedIPs]);
      else networks.push(...party.allowedIPs);
    }
  }
  return direct.map((party) => {
    const behind = isNode(party) ? (relayed.get(party.name) ?? []) : [];
    return { party, allowedIPs: [...party.allowedIPs, ...behind.sort()] };
  });
}

function peersAt(
  epoch: number,
  spec: WireguardMesh['spec'],
  self: MeshNode,
  neighbours: readonly Neighbour[],
): Peer[] {
  if (keyAt(self, epoch) === undefined) return [];
  const keepalive = parseDuration(spec.persistentKeepalive) / 1000;
  return neighbours
    .flatMap(({ party, allowedIPs }) => {
      const node = isNode(party);
      const publicKey = node ? keyAt(party, epoch) : party.publicKey;
      if (publicKey === undefined) return [];
      const endpoint = node ? nodeEndpoint(party, epoch) : endpointOfPeer(party);
      const preshared = node && spec.presharedKeys;
      return [{ name: party.name, publicKey, endpoint, keepalive, allowedIPs: [...allowedIPs], preshared }];
    })
    .sort((a, b) => (a.name < b.name || (a.name === b.name && a.publicKey < b.publicKey) ? -1 : 1));
}

const nodeEndpoint = (node: MeshNode, epoch: number): string | null =>
  node.endpoint === undefined || node.behindNAT === true ? null : endpointAt(node.endpoint, epoch);

export const keyAt = ({ keys }: MeshNode, epoch: number): string | undefined =>
  keys.find((key) => key.epoch === epoch)?.publicKey;
