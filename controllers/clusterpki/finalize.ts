/** What becomes of the Secrets when their ClusterPKI goes. */
import type { ClusterPKI } from '../../crds/index.ts';
import { ReconcileError } from '../lib/core/outcome.ts';
import { SecretKind } from '../lib/kube/core-kinds.ts';
import type { Objects } from '../lib/kube/objects.ts';
import type { Context } from '../lib/runtime/controller.ts';
import { clusterOf } from './members.ts';
import { pkiLabel, secretNamesOf } from './secret-names.ts';

type Deletes = Pick<Objects, 'delete'>;

/**
 * `Retain` leaves them. `Delete` takes those that were made for it, and waits while a NixCluster uses them: its hosts
 * would go on until their certificates end, and nobody could do anything about it.
 */
export async function finalizePki(
  pki: ClusterPKI,
  context: Context<ClusterPKI>,
  objects: Deletes,
): Promise<'done'> {
  if (pki.spec.deletionPolicy === 'Retain') return 'done';
  const cluster = clusterOf(pki, context.read);
  if (cluster && cluster.metadata.deletionTimestamp === undefined) {
    const message = `NixCluster ${cluster.metadata.name} lives by these keys; delete it first, or set spec.deletionPolicy to Retain`;
    throw new ReconcileError('waiting', 'PkiInUse', message);
  }
  for (const name of secretNamesOf(pki.metadata.name)) await deleteOwn(pki, name, context, objects);
  return 'done';
}

/** One without our label was there before, or is from a backup: whoever put it there knows what it is good for. */
async function deleteOwn(
  { metadata }: ClusterPKI,
  name: string,
  { read, signal }: Context<ClusterPKI>,
  objects: Deletes,
): Promise<void> {
  const namespace = metadata.namespace ?? '';
  try {
    const secret = await read.load(SecretKind, namespace, name);
    if (secret.metadata.labels?.[pkiLabel] !== metadata.name) return;
    await objects.delete(SecretKind, { namespace, name, uid: secret.metadata.uid }, signal);
  } catch (error) {
    if (!(error instanceof ReconcileError && error.reason === 'SecretNotFound')) throw error;
  }
}
