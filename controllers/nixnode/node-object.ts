/** The Node of a member in its cluster: how it is stands in the status of the NixCluster. Pure. */
import type { ClusterNode } from '../../crds/index.ts';
import { ReconcileError } from '../lib/core/outcome.ts';

/** Throws `progressing` where there is no Node, or it is not ready. `recheckMs`: when the host is to be looked at again. */
export function checkNodeObject(cluster: string, place: ClusterNode | undefined, recheckMs: number): void {
  const node = place?.node;
  if (!node) {
    const message = `there is no Node of it in the cluster: its kubelet has not registered, or nobody could look; NixCluster ${cluster} says more`;
    throw new ReconcileError('progressing', 'WaitingForNode', message, { recheckMs });
  }
  if (node.ready) return;
  const said = [node.reason, node.message].filter((words) => words !== '').join(': ');
  throw new ReconcileError('progressing', 'NodeNotReady', `its Node is not ready: ${said}`, { recheckMs });
}
