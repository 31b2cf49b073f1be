/** Which generation of keys is in use, where the status does not say: the mesh is new, or its status was lost. */
import type { Rotation } from '../../crds/index.ts';
import { ReconcileError } from '../lib/core/outcome.ts';
import { several } from '../lib/core/several.ts';
import { isStaying, type Member } from './members.ts';

/**
 * From what the hosts say. Throws `waiting` (`MeshMembersUnobserved`) until every one of them was asked: any other epoch than
 * theirs would cost them their tunnels. `now` is a timestamp.
 */
export function recoverEpoch(
  cluster: string,
  members: readonly Member[],
  now: string,
): { epoch: number; rotation?: Rotation } {
  const unobserved = members.filter((member) => isStaying(member) && !hasSpoken(cluster, member));
  if (unobserved.length > 0) {
    const names = several(unobserved.map(({ node }) => node.metadata.name));
    const message = `which keys are in use is known only from the hosts, and not yet from ${names}; a host that is gone for good is not waited for once its NixNode is deleted`;
    throw new ReconcileError('waiting', 'MeshMembersUnobserved', message);
  }
  const said = members.map(({ node }) => node.status?.mesh).filter((mesh) => mesh !== undefined);
  const active = said.map((mesh) => mesh.active).filter((epoch) => epoch !== undefined);
  // A key of an epoch that all have left is deleted, so the oldest that a host has is the one that it uses.
  const oldest = said.flatMap(({ keys }) =>
    keys.length > 0 ? [Math.min(...keys.map(({ epoch }) => epoch))] : [],
  );
  const newest = Math.max(1, ...(active.length > 0 ? active : oldest));
  if (!active.includes(newest - 1)) return { epoch: newest };
  return { epoch: newest - 1, rotation: { stage: 'Move', epoch: newest, startedAt: now } };
}

/** The host was asked, and if its release is of this cluster, it has told of its mesh, too. */
function hasSpoken(cluster: string, { node: { status } }: Member): boolean {
  return (
    status?.lastObserved !== undefined && (status.member?.cluster !== cluster || status.mesh !== undefined)
  );
}
