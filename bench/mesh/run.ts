/** What one node that joins a mesh costs: planning for all others, and what is sent to each of them. */
import { createHash } from 'node:crypto';
import { Sealed } from '../../controllers/lib/core/sealed.ts';
import { secretsTree } from '../../controllers/lib/nix/release.ts';
import { packParts } from '../../controllers/lib/nix/tar.ts';
import { hashTree } from '../../controllers/lib/nix/tree.ts';
import { fleetData } from '../../controllers/nixnode/fleet-data.ts';
import { peersFile } from '../../controllers/wireguardmesh/peers.ts';
import { presharedKeysFile, presharedKeysPath } from '../../controllers/wireguardmesh/preshared.ts';
import { NixCluster, WireguardMesh } from '../../crds/index.ts';

export type MeshSettings = {
  /** Sizes of the mesh after the join, smallest first. */
  nodes: number[];
};

export type MeshJoin = {
  nodes: number;
  /** For one of the others: its data and its preshared keys. */
  planMsANode: number;
  /** For all of them, one after the other. */
  planSeconds: number;
  /** The payload for one of them: fleet data and preshared keys. */
  sentKiBANode: number;
  sentMiB: number;
  /** The WireguardMesh as JSON: what each join writes to the API server. */
  statusKiB: number;
};

/** As many nodes as are planned for; more would only take longer. */
const sampled = 50;

export async function measureMesh({ nodes }: MeshSettings, say: (text: string) => void): Promise<MeshJoin[]> {
  const results: MeshJoin[] = [];
  // Code that was never run is slow, and would be the smallest mesh's fault.
  await measureJoin(20);
  for (const count of nodes) {
    say(`mesh: a node joins ${count - 1} others …`);
    results.push(await measureJoin(count));
  }
  return results;
}

async function measureJoin(count: number): Promise<MeshJoin> {
  const { cluster, mesh } = meshOf(count);
  const secret = new Sealed<Uint8Array>(new Uint8Array(32).fill(7));
  const others = Array.from({ length: Math.min(sampled, count - 1) }, (_, at) => nameOf(at + 1));
  let sent = 0;
  let planned = 0;
  for (const self of others) {
    const startedAt = performance.now();
    const data = fleetData(cluster, peersFile(mesh, cluster, self)!, self);
    const preshared = presharedKeysFile(mesh, self, secret);
    hashTree(data);
    planned += performance.now() - startedAt;
    const placement = { path: presharedKeysPath, mode: 0o400, owner: 'root', group: 'root' };
    const units = { restartUnits: [], reloadUnits: ['firn-mesh.service'] };
    const secrets = secretsTree([{ ...placement, ...units, content: preshared }]);
    sent += (await packParts({ data, secrets })).byteLength;
  }
  const planMsANode = planned / others.length;
  const sentANode = sent / others.length;
  return {
    nodes: count,
    planMsANode,
    planSeconds: (planMsANode * (count - 1)) / 1000,
    sentKiBANode: sentANode / 1024,
    sentMiB: (sentANode * (count - 1)) / 2 ** 20,
    statusKiB: Buffer.byteLength(JSON.stringify(mesh)) / 1024,
  };
}

const nameOf = (index: number): string => `node${index}`;
const metadata = { name: 'bench', namespace: 'bench', uid: 'bench', resourceVersion: '1' };
const place = (index: number) => ({
  podCIDRs: [`fd88:${index.toString(16)}::/32`, `10.${index >> 8}.${index & 255}.0/24`],
  addresses: [`fd88:${index.toString(16)}::1`, `10.${index >> 8}.${index & 255}.1`],
});
const underlay = (index: number): string => `198.18.${index >> 8}.${index & 255}`;
const keyOf = (index: number): string => createHash('sha256').update(`${index}`).digest('base64');

/** One node in ten is behind NAT, so that there are relays. */
function meshOf(count: number): { cluster: NixCluster; mesh: WireguardMesh } {
  const indexes = Array.from({ length: count }, (_, at) => at + 1);
  const mesh = WireguardMesh.parse({
    apiVersion: 'firn.dev/v1alpha1',
    kind: 'WireguardMesh',
    metadata,
    spec: {},
    status: {
      epoch: 1,
      nodes: indexes.map((index) => ({
        name: nameOf(index),
        ...(index % 10 === 0 ? { behindNAT: true } : { endpoint: `${underlay(index)}:51820` }),
        addresses: place(index).addresses,
        allowedIPs: place(index).podCIDRs,
        keys: [{ epoch: 1, publicKey: keyOf(index) }],
      })),
    },
  });
  const cluster = NixCluster.parse({
    apiVersion: 'firn.dev/v1alpha1',
    kind: 'NixCluster',
    metadata,
    spec: {
      kubernetes: { version: '1.36' },
      nixpkgs: { url: 'github:NixOS/nixpkgs/nixos-26.05' },
      endpoint: { host: 'kube.example.com' },
      network: {
        meshRef: { name: 'bench' },
        pods: [
          { cidr: 'fd88::/16', nodePrefix: 32 },
          { cidr: '10.0.0.0/8', nodePrefix: 24 },
        ],
        services: ['10.0.0.0/24'],
      },
    },
    status: {
      nodes: indexes.map((index) => ({
        name: nameOf(index),
        uid: `uid-${index}`,
        index,
        ...place(index),
        underlayAddresses: [underlay(index)],
      })),
    },
  });
  return { cluster, mesh };
}
