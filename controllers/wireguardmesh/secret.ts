/** The one secret of a mesh: made where there is none, and never replaced, since every tunnel rests on it. */
import type { NixNode, WireguardMesh } from '../../crds/index.ts';
import { ReconcileError } from '../lib/core/outcome.ts';
import type { Secret } from '../lib/kube/core-kinds.ts';
import { secretBytes, secretKey } from './preshared.ts';
import { secretNameOf } from './sources.ts';

/**
 * Throws `terminal` (`MeshSecretMissing`) where hosts have keys that came from a Secret that is gone, or may have: a new
 * one would break each tunnel until both of its sides have it. `waiting` (`MeshMembersUnobserved`) as long as that is unknown.
 */
export function refuseToReplace(mesh: WireguardMesh, cluster: string, nodes: readonly NixNode[]): void {
  const name = secretNameOf(mesh.metadata.name);
  const { epoch, secretName } = mesh.status ?? {};
  const isLiving = nodes.some(({ status }) => status?.member?.cluster === cluster);
  if (secretName !== undefined || (epoch === undefined && isLiving)) {
    const anew = `kubectl create secret generic ${name} -n ${mesh.metadata.namespace} --from-file=${secretKey}=FILE, of ${secretBytes} random bytes`;
    const message = `Secret ${name} is gone, and the preshared keys on the hosts come from it: put it back. If it is lost, make another (${anew}): tunnels then break until all hosts have it`;
    throw new ReconcileError('terminal', 'MeshSecretMissing', message);
  }
  const unobserved = nodes.find(({ status }) => status?.lastObserved === undefined);
  if (epoch === undefined && unobserved) {
    const message = `a secret is made once it is known that no host has keys from a former one, and ${unobserved.metadata.name} was not reached yet`;
    throw new ReconcileError('waiting', 'MeshMembersUnobserved', message);
  }
}

/** Without an owner: garbage collection must not take it when the mesh is deleted and applied again. */
export const secretOf = ({ metadata }: WireguardMesh, seed: Uint8Array) => ({
  metadata: {
    namespace: metadata.namespace ?? '',
    name: secretNameOf(metadata.name),
    labels: { 'firn.dev/wireguardmesh': metadata.name },
  },
  type: 'Opaque',
  data: { [secretKey]: Buffer.from(seed).toString('base64') },
});

/** Throws `terminal` (`MeshSecretUnusable`). */
export function checkSecret({ metadata, data }: Secret): void {
  const bytes = data[secretKey]?.open().length ?? 0;
  if (bytes >= secretBytes) return;
  const message = `Secret ${metadata.name} needs at least ${secretBytes} bytes in ${secretKey}; it has ${bytes}. Put the former one back`;
  throw new ReconcileError('terminal', 'MeshSecretUnusable', message);
}
