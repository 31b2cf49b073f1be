/** A node as a roll-out sees it: what there is to change on it, and whether the cluster can count on it. Pure. */
import type { ClusterNode, NixCluster, NixNode } from '../../../crds/index.ts';
import { etcdMemberOf } from '../relations.ts';

export type TurnState = NonNullable<ClusterNode['rollout']>['state'];

/** `Silent`: the API server of the cluster does not answer just now; `Lost`: not for a while. */
export type ApiState = 'Answers' | 'Silent' | 'Lost';

export type Turn = {
  name: string;
  controlPlane: boolean;
  /** Counts among those of which maxUnavailable change at once. */
  worker: boolean;
  /** Whether pods run on it. */
  pods: boolean;
  /** Whether others feel it when it changes. A host that is not part of the cluster yet waits for nobody. */
  living: boolean;
  desired: string | undefined;
  /** Whether a system, or a key that restarts servers, waits to be activated. */
  pending: boolean;
  built: boolean;
  stopsPods: boolean;
  /** `due`: it needs a restart, which is allowed; `refused`: which spec.deploy.reboot does not allow. */
  restart: 'due' | 'refused' | undefined;
  paused: boolean;
  /** The reason for which its release was taken back. */
  failed: string | undefined;
  /** The reason for which it cannot even make it. */
  stuck: string | undefined;
  /** Why it cannot be counted on; undefined: it is as it should be. */
  unwell: string | undefined;
  unreachable: boolean;
  /** Whether its Node is not ready: there is nothing on it that an eviction could save. */
  down: boolean;
  /** Why its etcd or API server does not serve; undefined of a worker. */
  notServing: string | undefined;
  leaving: boolean;
  granted: string | undefined;
  state: TurnState | undefined;
  /** Whether its Node was closed to new pods for this change, as seen there. */
  closed: boolean;
  /** Whether the pods that are to leave are gone, as seen there. */
  empty: boolean;
};

/** Names of Nodes that are closed by us, and of those that are empty besides. */
export type Nodes = { closed: ReadonlySet<string>; empty: ReadonlySet<string> };

export function turnsOf(
  cluster: NixCluster,
  members: readonly NixNode[],
  api: ApiState,
  { closed, empty }: Nodes,
): Turn[] {
  const places = new Map((cluster.status?.nodes ?? []).map((place) => [place.name, place]));
  return members.flatMap((node) => {
    const place = places.get(node.metadata.name);
    if (!place) return [];
    const { name } = place;
    return [
      {
        ...healthOf(cluster, node, place, api),
        ...changeOf(node, place),
        closed: closed.has(name),
        empty: empty.has(name),
      },
    ];
  });
}

const condition = ({ status }: NixNode, type: string) => status?.conditions?.find((one) => one.type === type);

function changeOf(node: NixNode, place: ClusterNode) {
  const { spec, status } = node;
  const { release, rebootDue } = status ?? {};
  const pending = release?.class === 'system' || release?.restartsServers === true;
  const stalled = condition(node, 'Stalled');
  const reason = pending && stalled?.status === 'True' ? stalled.reason : undefined;
  const applied = condition(node, 'Applied');
  const isTakenBack = applied?.status === 'False' && applied.reason === reason;
  return {
    desired: release?.desired,
    pending,
    built: release?.built === true,
    stopsPods: release?.stopsPods === true,
    restart: rebootDue ? (spec.deploy.reboot === 'WhenRequired' ? 'due' : 'refused') : undefined,
    paused: spec.deploy.mode === 'Paused',
    failed: isTakenBack ? reason : undefined,
    stuck: isTakenBack ? undefined : reason,
    granted: place.granted,
    state: place.rollout?.state,
  } as const;
}

function healthOf(cluster: NixCluster, node: NixNode, place: ClusterNode, api: ApiState) {
  const { roles } = node.spec;
  const controlPlane = roles.includes('control-plane');
  const pods = controlPlane || roles.includes('worker');
  const host = hostProblem(node);
  const kubelet = pods ? nodeProblem(place, api) : undefined;
  return {
    name: place.name,
    controlPlane,
    worker: !controlPlane || roles.length > 1,
    pods,
    living: isLiving(cluster, node, place, pods),
    unwell: host ?? kubelet,
    unreachable: condition(node, 'Reachable')?.status === 'False',
    down: isRegistered(place) && place.node?.ready === false,
    notServing: controlPlane ? (host ?? controlPlaneProblem(cluster, place, api)) : undefined,
    leaving: node.metadata.deletionTimestamp !== undefined,
  };
}

/** It is, once the cluster has a Node of it, or etcd a vote; and a host without a kubelet, once it runs a release of it. */
function isLiving(cluster: NixCluster, { status }: NixNode, place: ClusterNode, pods: boolean): boolean {
  if (isRegistered(place) || etcdMemberOf(cluster, place.name)?.learner === false) return true;
  return (
    !pods && status?.release?.confirmed !== undefined && status.member?.cluster === cluster.metadata.name
  );
}

/** Whether the cluster has a Node of it, as far as was last seen. */
export const isRegistered = ({ node }: ClusterNode): boolean =>
  node !== undefined && node.reason !== 'NotRegistered';

function hostProblem(node: NixNode): string | undefined {
  const bad = ['Reachable', 'Healthy']
    .map((type) => condition(node, type))
    .find((one) => one?.status === 'False');
  return bad && `its host is not well (${bad.reason})`;
}

function controlPlaneProblem(cluster: NixCluster, place: ClusterNode, api: ApiState): string | undefined {
  const member = etcdMemberOf(cluster, place.name);
  if (member?.healthy === false) return 'its member of etcd is not healthy';
  if (member?.learner) return 'its member of etcd has no vote yet';
  return api === 'Lost' ? 'the API of the cluster does not answer' : undefined;
}

function nodeProblem({ node }: ClusterNode, api: ApiState): string | undefined {
  if (api !== 'Answers') return 'the API of the cluster does not answer';
  if (node === undefined || node.ready) return undefined;
  return `its Node is not ready${node.reason ? ` (${node.reason})` : ''}`;
}
