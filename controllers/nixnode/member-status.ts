/** What a host says of its cluster, its mesh and its certificates, as status tells it. Pure. */
import { type NixNode, type NixNodeStatus, originNames, type WireguardMesh } from '../../crds/index.ts';
import { clip } from '../lib/core/clip.ts';
import { timestamp } from '../lib/core/timestamp.ts';
import type { Observation } from '../lib/host/protocol.ts';
import type { PeersFile } from '../wireguardmesh/peers.ts';
import { validityIn } from './certificates.ts';
import { readRecord } from './manifest.ts';

type MeshStatus = NonNullable<NixNodeStatus['mesh']>;
type PeerStatus = MeshStatus['details'][number];

export function memberOf(seen: Pick<Observation, 'manifestB64'>): NixNodeStatus['member'] {
  const { cluster, nixpkgs, kubernetes } = readRecord(seen.manifestB64);
  return (
    cluster && {
      cluster: cluster.name,
      index: cluster.index,
      ...(nixpkgs && { nixpkgs }),
      ...(kubernetes && { kubernetes }),
    }
  );
}

/** Of a host of no cluster it is said only if there is something. */
export function etcdStatusOf(
  { spec }: Pick<NixNode, 'spec'>,
  { etcd: { hasData, hasSQLite, ...seen } }: Pick<Observation, 'etcd'>,
): NixNodeStatus['etcd'] {
  const { clusterID, memberID, started, transport } = seen;
  if (!spec.clusterRef && !hasData && !hasSQLite && started === null) return undefined;
  return {
    hasData,
    ...(hasSQLite && { hasSQLite }),
    ...(clusterID !== null && { clusterID }),
    ...(memberID !== null && { memberID }),
    ...(started !== null && { started }),
    ...(transport !== null && { transport }),
  };
}

export function pkiStatusOf(seen: Pick<Observation, 'manifestB64' | 'certificates'>): NixNodeStatus['pki'] {
  const { leaves, origins = {} } = readRecord(seen.manifestB64);
  if (!leaves) return undefined;
  const ends = seen.certificates
    .filter(({ pathB64 }) => Object.hasOwn(leaves, pathB64))
    .map(({ pathB64, certificate }) => ({ path: pathB64, ...validityIn(certificate) }))
    .sort((a, b) => a.notAfter - b.notAfter);
  const [first] = ends;
  return {
    authorities: originNames.flatMap((name) => {
      const fingerprint = origins[name];
      return fingerprint === undefined ? [] : [{ name, fingerprint }];
    }),
    certificates: ends.length,
    ...(first && { nextExpiry: timestamp(first.notAfter), nextExpiring: first.path }),
  };
}

/** Each frontend as HAProxy sees its pods, and as which it was deployed: the record is of the release that runs. */
export function frontendsOf({
  manifestB64,
  frontends,
}: Pick<Observation, 'manifestB64' | 'frontends'>): NixNodeStatus['frontends'] {
  if (frontends === null || frontends.length === 0) return undefined;
  const { frontends: deployed = {} } = readRecord(manifestB64);
  return frontends
    .map(({ name, servers, up }) => {
      const digest = Object.hasOwn(deployed, name) ? deployed[name] : undefined;
      return { name, ...(digest !== undefined && { digest }), servers, up };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * WireGuard shakes hands anew after two minutes of traffic, and keepalives are traffic; keys are thrown away after three
 * (WireGuard's paper, 6.1: REKEY_AFTER_TIME and REJECT_AFTER_TIME). A pair is down when it has no keys any more.
 */
const downAfterSeconds = 180;
/** Bounds of crds/nixnode-status.ts. */
const maxDetails = 64;
const maxWords = 4096;

/** `wanted` is what the host is to be told of its peers: those that it does not have are missing. */
export function meshStatusOf(
  seen: Pick<Observation, 'wireguard' | 'time'>,
  mesh: WireguardMesh,
  wanted: PeersFile | undefined,
): MeshStatus {
  const { keys = [], devices = [], problemB64 = '' } = seen.wireguard ?? {};
  const active = devices.find((device) => device.active);
  const external = new Set(mesh.spec.externalPeers.map(({ name }) => name));
  const details = (wanted?.epochs ?? []).flatMap(({ epoch, peers }) => {
    const device = devices.find((one) => one.epoch === epoch);
    const seenPeers = new Map(device?.peers.map((peer) => [peer[0], peer]));
    return peers
      .filter(({ name }) => !external.has(name))
      .map(({ name, publicKey }) => peerOf(name, epoch, seenPeers.get(publicKey), seen.time));
  });
  const counted = details.filter(({ epoch }) => epoch === (active?.epoch ?? mesh.status?.epoch));
  return {
    keys: [...keys].sort((a, b) => a.epoch - b.epoch),
    ...(active && { active: active.epoch, mtu: active.mtu }),
    ...(active && active.listenPort > 0 && { port: active.listenPort }),
    peers: counted.length,
    connected: counted.filter(({ state }) => state === 'Connected').length,
    details: details.sort(worstFirst).slice(0, maxDetails),
    ...(problemB64 !== '' && { problem: clip(problemB64, maxWords) }),
  };
}

type SeenPeer = NonNullable<Observation['wireguard']>['devices'][number]['peers'][number];

function peerOf(name: string, epoch: number, seen: SeenPeer | undefined, now: number): PeerStatus {
  const [, handshake = 0, receivedBytes = 0, sentBytes = 0] = seen ?? [];
  const state = handshake === 0 ? 'Waiting' : now - handshake > downAfterSeconds ? 'Down' : 'Connected';
  const lastHandshake = handshake === 0 ? {} : { lastHandshake: timestamp(handshake * 1000) };
  return { name, epoch, state, ...lastHandshake, receivedBytes, sentBytes };
}

const badness = { Down: 0, Waiting: 1, Connected: 2 } as const;
const worstFirst = (a: PeerStatus, b: PeerStatus): number =>
  badness[a.state] - badness[b.state] || (a.name < b.name ? -1 : a.name > b.name ? 1 : a.epoch - b.epoch);

/** Ages and bytes move with every look: as long as nothing else does, what was said before goes on being said. */
export function saysTheSame(a: MeshStatus, b: MeshStatus): boolean {
  const still = (mesh: MeshStatus) =>
    JSON.stringify({ ...mesh, details: mesh.details.map(({ name, epoch, state }) => [name, epoch, state]) });
  return still(a) === still(b);
}
