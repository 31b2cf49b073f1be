/** What one node that joins a mesh costs: planning for all others, and what is sent to each of them. */
import { Sealed } from '../../controllers/lib/core/sealed.ts';
import { secretsTree } from '../../controllers/lib/nix/release.ts';
import { packParts } from '../../controllers/lib/nix/tar.ts';
import { hashTree } from '../../controllers/lib/nix/tree.ts';
import { fleetData } from '../../controllers/nixnode/fleet-data.ts';
import { peersFile } from '../../controllers/wireguardmesh/peers.ts';
import { presharedKeysFile, presharedKeysPath } from '../../controllers/wireguardmesh/preshared.ts';
import type { NixCluster, WireguardMesh } from '../../crds/index.ts';
import { clusterOf, meshNodeOf, meshWith, nameOf } from '../../test/support/mesh.ts';

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

/** One node in ten is behind NAT, so that there are relays. */
function meshOf(count: number): { cluster: NixCluster; mesh: WireguardMesh } {
  const indexes = Array.from({ length: count }, (_, at) => at + 1);
  const nodes = indexes.map((index) => meshNodeOf(index, index % 10 === 0 ? { behindNAT: true } : {}));
  return { cluster: clusterOf(indexes), mesh: meshWith(nodes) };
}
