/** A mesh in a real API server, with its controller and that of its cluster, and no hosts: those say what a test has them say. */
import { randomBytes } from 'node:crypto';
import { objectsOf } from '../../controllers/lib/kube/objects.ts';
import {
  declaration as clusterDeclaration,
  nixClusterController,
} from '../../controllers/nixcluster/controller.ts';
import { declaration, wireguardMeshController } from '../../controllers/wireguardmesh/controller.ts';
import type { NixNodeStatus, WireguardMesh } from '../../crds/index.ts';
import { eventually } from './eventually.ts';
import { publicKeyOf } from './mesh.ts';
import { lastTransitionTime, truth } from './nixclusters.ts';
import { type Fields, type Play, startPlay } from './play.ts';
import { startTargets } from './targets.ts';

export type SeenMesh = WireguardMesh & { status: NonNullable<WireguardMesh['status']> };
type Said = NonNullable<NixNodeStatus['mesh']>;

export type MeshPlay = Omit<Play, 'apply'> & {
  apply(...objects: Fields[]): Promise<string>;
  /** Of a host that answers; `status` says what else. */
  hostSays(name: string, status: Fields): Promise<string>;
  get(): Promise<SeenMesh>;
  /** Once its conditions say so of the spec as it is now. */
  when(type: string, status: string, reason?: string): Promise<SeenMesh>;
};

export async function startMeshPlay(namespace: string): Promise<MeshPlay> {
  const targets = startTargets();
  const play = await startPlay((client) => [
    nixClusterController({ objects: objectsOf(client, clusterDeclaration), targets }),
    wireguardMeshController({ objects: objectsOf(client, declaration), randomBytes }),
  ]);
  await play.newNamespace(namespace);
  const get = async (): Promise<SeenMesh> =>
    JSON.parse(await play.kubectl(['get', 'wireguardmesh', 'demo', '-n', namespace, '-o', 'json']));
  return {
    ...play,
    async stop() {
      await play.stop();
      await targets[Symbol.asyncDispose]();
    },
    apply: (...objects) => play.apply(objects),
    hostSays: (name, status) =>
      play.nodeSays(namespace, name, {
        lastObserved: lastTransitionTime,
        conditions: [truth('Reachable')],
        ...status,
      }),
    get,
    when: (type, status, reason) =>
      eventually(async () => {
        const mesh = await get();
        expect(mesh.status?.observedGeneration).toBe(mesh.metadata.generation);
        const condition = mesh.status.conditions?.find((one) => one.type === type);
        expect(condition).toMatchObject({ status, ...(reason !== undefined && { reason }) });
        return mesh;
      }),
  };
}

export const meshIn = (namespace: string, spec: Fields = {}): Fields => ({
  apiVersion: 'firn.dev/v1alpha1',
  kind: 'WireguardMesh',
  metadata: { name: 'demo', namespace },
  spec,
});

/** Of a host that has keys of `epochs`, sends with `active`, and has shaken hands with `peers` in each. */
export const saidBy = (
  name: string,
  { epochs, active, peers }: { epochs: readonly number[]; active?: number; peers: readonly string[] },
): { mesh: Said } => ({
  mesh: {
    keys: epochs.map((epoch) => ({ epoch, publicKey: publicKeyOf(`${name}/${epoch}`) })),
    ...(active !== undefined && { active }),
    peers: peers.length,
    connected: peers.length,
    details: epochs.flatMap((epoch) =>
      peers.map((peer) => ({
        name: peer,
        epoch,
        state: 'Connected' as const,
        lastHandshake: lastTransitionTime,
        receivedBytes: 10,
        sentBytes: 20,
      })),
    ),
  },
});
