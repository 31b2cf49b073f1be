import { isNotFound } from '../controllers/lib/kube/kube-error.ts';
import { NixCluster, WireguardMesh } from '../crds/index.ts';
import { CliError } from './command.ts';
import type { Connection } from './connect.ts';

/** More than these are not for a screen. */
const limit = 500;
const deadlineMs = 30_000;

/** The one of that name, or all of the namespace. Throws `CliError` where there is none of that name. */
export async function readMeshes(
  { client, namespace }: Connection,
  name: string | undefined,
  signal: AbortSignal,
): Promise<WireguardMesh[]> {
  try {
    if (name === undefined) {
      const { items } = await client.list(WireguardMesh, { namespace, limit, signal, deadlineMs });
      return items.map((item) => WireguardMesh.parse(item));
    }
    return [
      WireguardMesh.parse(await client.get(WireguardMesh, { namespace, name }, { signal, deadlineMs })),
    ];
  } catch (error) {
    if (!isNotFound(error)) throw error;
    throw new CliError(
      name === undefined
        ? 'the cluster does not know WireguardMeshes: Firn is not installed there'
        : `there is no WireguardMesh ${name} in namespace ${namespace}; -n names another namespace`,
    );
  }
}

/** Undefined where no NixCluster names the mesh. */
export async function clusterOfMesh(
  { client, namespace }: Connection,
  mesh: WireguardMesh,
  signal: AbortSignal,
): Promise<NixCluster | undefined> {
  const { items } = await client.list(NixCluster, { namespace, limit, signal, deadlineMs });
  const clusters = items.map((item) => NixCluster.parse(item));
  return clusters.find(({ spec }) => spec.network.meshRef?.name === mesh.metadata.name);
}
