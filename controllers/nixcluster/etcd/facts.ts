/** What is known of etcd, from objects and from etcd itself, before anything is decided. Pure. */
import type { ClusterEtcd, ClusterNode, NixCluster, NixNode } from '../../../crds/index.ts';
import { hostPort, primaryAddressOf } from '../control-planes.ts';
import { byName } from '../members.ts';

/** A control-plane node, as far as etcd is concerned. */
export type EtcdNode = {
  /** And that of its member, which helps people: what tells members apart is their ID. */
  name: string;
  uid: string;
  /** Where other members are to reach it; undefined until it has a number. */
  peerURL: string | undefined;
  /** `leaving`: it is being deleted, or is no control plane any more, and its member goes with it. */
  stage: 'wanted' | 'leaving';
  isReachable: boolean;
  /** What its host has; undefined until it was looked at. */
  seen: NonNullable<NixNode['status']>['etcd'];
};

/** One line of etcd's own list. */
export type EtcdEntry = {
  /** In hex, without leading zeros. */
  id: string;
  /** Empty until the member has started. */
  name: string;
  peerURLs: readonly string[];
  learner: boolean;
};

/** What a member said of itself, or why it said nothing. */
export type EtcdAnswer =
  | { id: string; clusterID: string; learner: boolean; hasLeader: boolean; problems: readonly string[] }
  | { silent: string };

export type EtcdFacts = {
  nodes: readonly EtcdNode[];
  /** By names of nodes. */
  answers: ReadonlyMap<string, EtcdAnswer>;
  /** As a majority agreed on it at this moment; null where nobody could be asked, or there was none. */
  list: readonly EtcdEntry[] | null;
  /** What was published last. */
  before: ClusterEtcd | undefined;
  /** What users accepted, by annotations of the NixCluster. */
  accepted: {
    /** ID of a member that is to go whatever becomes of the majority. */
    removal: string | undefined;
    /** ID of a cluster that is lost for good. */
    loss: string | undefined;
  };
};

export const removalAnnotation = 'firn.dev/remove-etcd-member';
export const lossAnnotation = 'firn.dev/give-up-etcd';

/** Where a member on unix sockets says that others reach it: nowhere. */
export const socketURL = 'unix://peer:0';
const peerPort = 2380;

/** `nodes` are the members of the cluster that have a number. */
export function etcdNodes(
  cluster: NixCluster,
  members: readonly NixNode[],
  nodes: readonly ClusterNode[],
): EtcdNode[] {
  const places = new Map(nodes.map((node) => [node.name, node]));
  const former = new Set((cluster.status?.etcd?.members ?? []).map(({ node }) => node));
  return members
    .filter(({ metadata, spec }) => spec.roles.includes('control-plane') || former.has(metadata.name))
    .map((node): EtcdNode => {
      const { name, uid, deletionTimestamp } = node.metadata;
      const place = places.get(name);
      // While its pods leave it, what they were served by stays.
      const drains = place !== undefined && (place.departure?.stage ?? 'Draining') === 'Draining';
      const stays = deletionTimestamp === undefined || drains;
      const isWanted = stays && node.spec.roles.includes('control-plane');
      return {
        name,
        uid,
        peerURL: place && peerURLOf(cluster, place),
        stage: isWanted ? 'wanted' : 'leaving',
        isReachable: isTrue(node, 'Reachable'),
        seen: node.status?.etcd,
      };
    })
    .sort(byName);
}

const peerURLOf = (cluster: NixCluster, place: ClusterNode): string =>
  `https://${hostPort(primaryAddressOf(cluster, place), peerPort)}`;

const isTrue = ({ status }: NixNode, type: string): boolean =>
  status?.conditions?.some((condition) => condition.type === type && condition.status === 'True') === true;

export const wantedOf = ({ nodes }: EtcdFacts): EtcdNode[] => nodes.filter(({ stage }) => stage === 'wanted');

/** Null for who is silent, and for who belongs to another cluster. */
export function answerOf(facts: EtcdFacts, node: string, clusterID: string) {
  const answer = facts.answers.get(node);
  return answer && 'id' in answer && answer.clusterID === clusterID ? answer : null;
}

/** The member of this cluster whose data a node's host has: etcd's own word before what was seen of its files. */
export function identityOf(
  facts: EtcdFacts,
  { name, seen }: EtcdNode,
  clusterID: string,
): string | undefined {
  const answer = answerOf(facts, name, clusterID);
  if (answer) return answer.id;
  return seen?.hasData === true && seen.clusterID === clusterID ? seen.memberID : undefined;
}

/**
 * The cluster that is meant: the one that was known, as long as any host has it; else the only one that there is, which
 * may have been restored from a snapshot. `several`: hosts have data of more than one.
 */
export function clusterOf(facts: EtcdFacts): { id: string | undefined; several: readonly string[] } {
  const found = new Set<string>();
  for (const node of facts.nodes) {
    const answer = facts.answers.get(node.name);
    if (answer && 'id' in answer) found.add(answer.clusterID);
    else if (node.seen?.clusterID !== undefined) found.add(node.seen.clusterID);
  }
  const known = facts.before?.clusterID;
  const all = [...found].sort();
  const [only] = all.length === 1 ? all : [];
  if (known === undefined) return { id: only, several: all };
  return { id: only !== undefined && isRestored(facts, only) ? only : known, several: all };
}

/** Data that came from elsewhere are on hosts that never were members. */
const isRestored = ({ nodes, before }: EtcdFacts, clusterID: string): boolean =>
  nodes.some(
    ({ name, seen }) =>
      seen?.clusterID === clusterID && before?.members?.some(({ node }) => node === name) === true,
  );

/** Once by TLS, always by TLS; until a cluster has begun that is as many nodes as there are want it. */
export function transportOf(facts: EtcdFacts): 'Socket' | 'TLS' {
  if (wantedOf(facts).length > 1) return 'TLS';
  const hasBegun = clusterOf(facts).id !== undefined;
  const was = facts.before?.transport === 'TLS' || facts.nodes.some(({ seen }) => seen?.transport === 'TLS');
  return hasBegun && was ? 'TLS' : 'Socket';
}

/** Whose word the list is taken from: a voter of the cluster that knows a leader. */
export function whomToAsk(facts: EtcdFacts): string | undefined {
  const { id } = clusterOf(facts);
  if (id === undefined) return undefined;
  const able = facts.nodes.filter(({ name }) => {
    const answer = answerOf(facts, name, id);
    return answer?.hasLeader === true && !answer.learner;
  });
  return able[0]?.name;
}
