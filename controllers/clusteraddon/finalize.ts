/** What becomes of what was applied when the addon goes. */
import { type ClusterAddon, NixCluster } from '../../crds/index.ts';
import { ReconcileError } from '../lib/core/outcome.ts';
import type { Context } from '../lib/runtime/controller.ts';
import { takeAway } from './prune.ts';
import type { AddonServices } from './visit.ts';

/** `Retain` leaves everything as it is; so does `Delete` where the cluster goes anyway. */
export async function finalizeAddon(
  addon: ClusterAddon,
  context: Context<ClusterAddon>,
  services: AddonServices,
): Promise<'done'> {
  const { metadata, spec, status } = addon;
  const inventory = status?.inventory ?? [];
  if (spec.deletionPolicy === 'Retain' || inventory.length === 0) return 'done';
  const cluster = context.read.get(NixCluster, metadata.namespace ?? '', spec.clusterRef.name);
  if (!cluster || cluster.metadata.deletionTimestamp !== undefined) return 'done';
  try {
    const there = await services.there(addon, cluster, context.read);
    await takeAway({ addon, context, there }, inventory);
    return 'done';
  } catch (error) {
    throw withWayOut(error);
  }
}

const wayOut = 'to let it go and leave what it applied, set deletionPolicy to Retain';

const withWayOut = (error: unknown): unknown => {
  if (!(error instanceof ReconcileError)) return error;
  const { verdict, reason, message, recheckMs } = error;
  const options = recheckMs === undefined ? { cause: error } : { cause: error, recheckMs };
  return new ReconcileError(verdict, reason, `${message}; ${wayOut}`, options);
};
