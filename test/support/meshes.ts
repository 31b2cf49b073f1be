/** A mesh in a real API server, with its controller and that of its cluster, and no hosts: those say what a test has them say. */
import { randomBytes } from 'node:crypto';
import { systemClock } from '../../controllers/lib/core/clock.ts';
import { KubeClient } from '../../controllers/lib/kube/client.ts';
import { kubeConfigFrom } from '../../controllers/lib/kube/config.ts';
import { objectsOf } from '../../controllers/lib/kube/objects.ts';
import {
  declaration as clusterDeclaration,
  nixClusterController,
} from '../../controllers/nixcluster/controller.ts';
import { declaration, wireguardMeshController } from '../../controllers/wireguardmesh/controller.ts';
import type { NixNodeStatus, WireguardMesh } from '../../crds/index.ts';
import { startTestCluster } from './cluster.ts';
import { eventually } from './eventually.ts';
import { installCrds } from './firn-api.ts';
import { publicKeyOf } from './mesh.ts';
import { type Fields, lastTransitionTime, truth } from './nixclusters.ts';
import { startOperator } from './operator.ts';

export type SeenMesh = WireguardMesh & { status: NonNullable<WireguardMesh['status']> };
type Said = NonNullable<NixNodeStatus['mesh']>;

export type MeshPlay = {
  kubeconfig: string;
  /** Throws where kubectl fails. */
  kubectl(args: string[], object?: Fields | Fields[]): Promise<string>;
  /** What kubectl says on standard error; throws where it succeeds. */
  refusal(args: string[], object: Fields): Promise<string>;
  apply(...objects: Fields[]): Promise<string>;
  /** Writes what nixnode would write of a host, as nixnode. */
  hostSays(name: string, status: Fields): Promise<string>;
  get(): Promise<SeenMesh>;
  /** Once its conditions say so of the spec as it is now. */
  when(type: string, status: string, reason?: string): Promise<SeenMesh>;
  stop(): Promise<void>;
};

export async function startMeshPlay(namespace: string): Promise<MeshPlay> {
  const cluster = await startTestCluster();
  await installCrds(cluster);
  const client = new KubeClient(kubeConfigFrom(cluster.kubeconfig), systemClock);
  const operator = startOperator(cluster.kubeconfig, [
    nixClusterController(objectsOf(client, clusterDeclaration)),
    wireguardMeshController({ objects: objectsOf(client, declaration), randomBytes }),
  ]);
  await eventually(() => expect(operator.phases).toContain('leading'));

  const kubectl: MeshPlay['kubectl'] = async (args, object) => {
    const items = Array.isArray(object) ? { apiVersion: 'v1', kind: 'List', items: object } : object;
    const { stdout, stderr, code } = await cluster.kubectl(args, items && JSON.stringify(items));
    expect({ args, code, stderr: code === 0 ? '' : stderr }).toEqual({ args, code: 0, stderr: '' });
    return stdout;
  };
  await kubectl(['create', 'namespace', namespace]);
  const get = async (): Promise<SeenMesh> =>
    JSON.parse(await kubectl(['get', 'wireguardmesh', 'demo', '-n', namespace, '-o', 'json']));
  const saying = ['--validate=ignore', '--subresource=status', '--field-manager=firn-nixnode'];
  return {
    kubeconfig: cluster.kubeconfig,
    kubectl,
    async refusal(args, object) {
      const { code, stderr } = await cluster.kubectl(args, JSON.stringify(object));
      expect(code).not.toBe(0);
      return stderr;
    },
    apply: (...objects) => kubectl(['apply', '--server-side', '-f', '-'], objects),
    hostSays: (name, status) =>
      kubectl(['apply', '--server-side', ...saying, '-f', '-'], nodeSaying(namespace, name, status)),
    get,
    when: (type, status, reason) =>
      eventually(async () => {
        const mesh = await get();
        expect(mesh.status?.observedGeneration).toBe(mesh.metadata.generation);
        const condition = mesh.status.conditions?.find((one) => one.type === type);
        expect(condition).toMatchObject({ status, ...(reason !== undefined && { reason }) });
        return mesh;
      }),
    async stop() {
      await operator.stop();
      await client.close();
      await cluster.stop();
    },
  };
}

const nodeSaying = (namespace: string, name: string, status: Fields): Fields => ({
  apiVersion: 'firn.dev/v1alpha1',
  kind: 'NixNode',
  metadata: { name, namespace },
  status: { lastObserved: lastTransitionTime, conditions: [truth('Reachable')], ...status },
});

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
