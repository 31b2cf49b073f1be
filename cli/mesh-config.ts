/** The other side of an external peer: what it needs to take part in a mesh. Pure. */
import { endpointAt, listedEpochs } from '../controllers/wireguardmesh/epochs.ts';
import { externalsOf } from '../controllers/wireguardmesh/externals.ts';
import { keyAt } from '../controllers/wireguardmesh/peers.ts';
import { canBeDialled, meetDirectly, relayFor, relaysOf } from '../controllers/wireguardmesh/relays.ts';
import {
  type ExternalPeer,
  type MeshNode,
  type NixCluster,
  parseDuration,
  type WireguardMesh,
} from '../crds/index.ts';
import { CliError } from './command.ts';

/** Throws `CliError` where no mesh has such a peer, and where several have. */
export function meshWithPeer(meshes: readonly WireguardMesh[], peer: string): WireguardMesh {
  const having = meshes.filter(({ spec }) => spec.externalPeers.some(({ name }) => name === peer));
  const [mesh, ...others] = having;
  if (mesh === undefined) {
    const peers = meshes.flatMap(({ spec }) => spec.externalPeers.map(({ name }) => name));
    throw new CliError(`there is no external peer ${peer}; there are ${peers.join(', ') || 'none'}`);
  }
  if (others.length > 0) {
    const names = having.map(({ metadata }) => metadata.name).join(', ');
    throw new CliError(`several meshes have an external peer ${peer} (${names}): choose one with --mesh`);
  }
  return mesh;
}

export type PrintedConfig = { text: string; notes: string[] };

/** In the format of wg-quick(8). Throws `CliError` where the nodes' keys are not known, or the peer is left out. */
export function meshConfig(mesh: WireguardMesh, cluster: NixCluster, name: string): PrintedConfig {
  const { usable, conflicts } = externalsOf(mesh, cluster);
  const peer = usable.find((one) => one.name === name);
  if (peer === undefined) throw new CliError(conflicts.find((conflict) => conflict.peer === name)!.message);
  if (mesh.status?.epoch === undefined) throw new CliError(`no node of ${mesh.metadata.name} has a key yet`);
  const epoch = listedEpochs(mesh).find(({ active }) => active)!.epoch;
  const nodes = (mesh.status.nodes ?? []).filter((node) => keyAt(node, epoch) !== undefined);
  const keyless = (mesh.status.nodes ?? []).filter((node) => !nodes.includes(node));
  const { sections, unreached } = peerSections(mesh, peer, nodes, epoch);
  const header = `# ${name} in WireguardMesh ${mesh.metadata.namespace}/${mesh.metadata.name}, for wg-quick(8); keys of epoch ${epoch}.`;
  return {
    text: [header, '', ...interfaceLines(mesh, peer), ...sections].join('\n'),
    notes: [
      ...(mesh.status.rotation ? ['keys are being rotated: print this once more when that is done'] : []),
      ...keyless.map((node) => `${node.name} has no key yet and is left out`),
      ...unreached.map((node) => `${node.name} is behind NAT, and no node relays to it`),
    ],
  };
}

function interfaceLines({ spec }: WireguardMesh, peer: ExternalPeer): string[] {
  const own = peer.allowedIPs.filter((network) => network.endsWith(network.includes(':') ? '/128' : '/32'));
  return [
    '[Interface]',
    `# The private key of ${peer.publicKey}:`,
    '# PrivateKey = ',
    own.length > 0 ? `Address = ${own.join(', ')}` : `# Address = one of ${peer.allowedIPs.join(', ')}`,
    ...(peer.endpoint ? [`ListenPort = ${peer.endpoint.port}`] : []),
    ...(spec.mtu === undefined ? [] : [`MTU = ${spec.mtu}`]),
  ];
}

function peerSections(
  mesh: WireguardMesh,
  peer: ExternalPeer,
  nodes: readonly MeshNode[],
  epoch: number,
): { sections: string[]; unreached: MeshNode[] } {
  const relays = relaysOf(mesh);
  const indirect = nodes.filter((node) => !meetDirectly(peer, node));
  const keepalive = parseDuration(mesh.spec.persistentKeepalive) / 1000;
  const sections = nodes
    .filter((node) => meetDirectly(peer, node))
    .flatMap((node) => {
      const behind = indirect.filter(({ name }) => relayFor(peer.name, name, relays) === node.name);
      const relayed =
        behind.length === 0 ? '' : `, which relays to ${behind.map(({ name }) => name).join(', ')}`;
      return [
        '',
        '[Peer]',
        `# ${node.name}${relayed}`,
        `PublicKey = ${keyAt(node, epoch)}`,
        ...(canBeDialled(node) ? [`Endpoint = ${endpointAt(node.endpoint!, epoch)}`] : []),
        `AllowedIPs = ${[node, ...behind].flatMap(({ allowedIPs }) => allowedIPs).join(', ')}`,
        `PersistentKeepalive = ${keepalive}`,
      ];
    });
  return { sections, unreached: relays.length === 0 ? indirect : [] };
}
