/** The steps by which a node leaves a living cluster, in an order in which none costs what the next needs. Pure. */
import type { ClusterNode, NixCluster, NixNode } from '../../../crds/index.ts';
import { parseDuration } from '../../../crds/index.ts';
import { etcdMemberOf } from '../relations.ts';
import type { Emptied } from '../rollout/empty-node.ts';
import { isRegistered } from '../rollout/turns.ts';

export type Departure = NonNullable<ClusterNode['departure']>;

export type Leaver = {
  cluster: NixCluster;
  node: NixNode;
  place: ClusterNode;
  /** Members that stay. */
  staying: readonly NixNode[];
  /** Undefined while the API does not answer, or where there is nothing to drain. */
  emptied: Emptied | undefined;
  api: boolean;
  /** As status writes it. */
  at: string;
  now: number;
};

const isControlPlane = ({ spec }: NixNode): boolean => spec.roles.includes('control-plane');

/** Whether pods have to go, and can: a host that is dead has none, and a last one nowhere to send them. */
export function hasToDrain({ cluster, node, place, staying }: Omit<Leaver, 'emptied'>): boolean {
  const isDown = !isRegistered(place) || place.node?.ready === false;
  const others = staying.some(({ spec }) => spec.roles.includes('worker'));
  return (
    cluster.spec.rollout.drain.enabled &&
    node.spec.roles.some((role) => role !== 'frontend') &&
    !isDown &&
    others
  );
}

/** What to do next; `departure` is what status says meanwhile. */
export function departureOf(leaver: Leaver): { do: 'wait' | 'delete' | 'done'; departure: Departure } {
  const { cluster, node, place, at } = leaver;
  const since = place.departure?.since ?? at;
  const say = (stage: Departure['stage'], message?: string, guarded?: true): Departure => ({
    ...{ stage, since },
    ...(message && { message }),
    ...(guarded && { guarded }),
  });
  const stage = place.departure?.stage;
  if (stage === 'Done') return { do: 'done', departure: say('Done') };
  const member = etcdMemberOf(cluster, place.name);
  if (!isRegistered(place) && member === undefined) return { do: 'done', departure: say('Done') };
  if (isControlPlane(node) && !leaver.staying.some(isControlPlane))
    return { do: 'wait', departure: say('Draining', lastSays(cluster, node), true) };
  if (stage === undefined || stage === 'Draining') {
    const left = leftOf(leaver);
    if (left) return { do: 'wait', departure: say('Draining', left) };
  }
  if (member) {
    const message = `member ${member.id} of etcd is removed first: EtcdHealthy of NixCluster ${cluster.metadata.name} says how that goes`;
    return { do: 'wait', departure: say('LeavingEtcd', message, true) };
  }
  if (isRegistered(place) && stage !== 'NodeDeleted') {
    const message = leaver.api
      ? undefined
      : 'its Node is to be deleted, and the API of the cluster does not answer';
    return { do: leaver.api ? 'delete' : 'wait', departure: say('LeavingEtcd', message) };
  }
  return { do: 'done', departure: say('Done') };
}

const lastSays = ({ metadata }: NixCluster, { metadata: { name } }: NixNode): string =>
  `${name} is the last control-plane node of cluster ${metadata.name}, and all that the cluster knows is on it: delete the NixCluster too, or annotate this NixNode with firn.dev/leave: "now"`;

/** What still has to leave it; undefined: it may go on. */
function leftOf(leaver: Leaver): string | undefined {
  const { node, emptied, now, cluster } = leaver;
  if (!hasToDrain(leaver) || emptied?.empty) return undefined;
  const { deletionTimestamp = '' } = node.metadata;
  // The deadline of the deletion holds for pods too: what is not gone by then goes with the node.
  if (now >= Date.parse(deletionTimestamp) + parseDuration(node.spec.deletionTimeout)) return undefined;
  const { name } = node.metadata;
  if (!emptied) return `${name} is to be drained, and the API of the cluster does not answer`;
  const late = emptied.overdue ? ` for longer than ${cluster.spec.rollout.drain.timeout}` : '';
  return `${name} is drained${late}: ${emptied.says}; after ${node.spec.deletionTimeout} it goes all the same`;
}
