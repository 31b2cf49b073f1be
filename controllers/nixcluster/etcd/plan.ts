/**
 * The next step in the life of etcd's membership, from what is true now: no step remembers what came before it, so whoever
 * decides may die between any two. The rules are those of docs/adr/0011-etcd-membership.md. Pure.
 */
import type { ClusterEtcd, EtcdInitial } from '../../../crds/index.ts';
import { several } from '../../lib/core/several.ts';
import { begin, unlisted } from './begin.ts';
import { clusterOf, type EtcdEntry, type EtcdFacts, transportOf, wantedOf } from './facts.ts';
import { admit } from './join.ts';
import { leave } from './leave.ts';
import { membersStatus, type Owned, ownersOf, problemOf } from './members.ts';
import { changing, conflicting, type EtcdTrouble, unhealthy, unknownMember } from './words.ts';

/** What is asked of etcd. One at a time: what it did is seen before anything else is decided. */
export type EtcdAction =
  | { do: 'add'; node: string; peerURL: string }
  | { do: 'promote'; node: string; id: string }
  | { do: 'update'; node: string; id: string; peerURL: string }
  | {
      do: 'remove';
      id: string;
      /** As words call it. */
      who: string;
      because: string;
      /** The node whose host has to say once more, now, that it does not have this member's data. */
      unlessOn: string | undefined;
    };

export type Decision = {
  etcd: ClusterEtcd;
  action: EtcdAction | null;
  trouble: EtcdTrouble | null;
};

/** What a part of the plan found: the first action counts. */
export type Found = { action?: EtcdAction; initial?: EtcdInitial; troubles: readonly EtcdTrouble[] };

export function decide(facts: EtcdFacts): Decision {
  const { id } = clusterOf(facts);
  if (id === undefined) return begin(facts);
  if (facts.list === null) return unlisted(facts, id);
  return keep(facts, facts.list, id);
}

/** A majority agreed on the list just now, so it can be changed. */
function keep(facts: EtcdFacts, list: readonly EtcdEntry[], clusterID: string): Decision {
  const owned = ownersOf(facts, list, clusterID);
  const left = leave(facts, owned, clusterID);
  const moved = left.action ? { troubles: [] } : relocate(owned);
  const joined = left.action || moved.action ? { troubles: [] } : admit(facts, owned, clusterID);
  const action = left.action ?? moved.action ?? joined.action ?? null;
  const ailing = ailingOf(facts, owned, clusterID);
  const troubles = [...left.troubles, ...moved.troubles, ...joined.troubles, ...ailing];
  const initial = joined.initial;
  const isComplete = wantedOf(facts).every(({ name }) =>
    owned.some(({ node, entry, healthy }) => node?.name === name && !entry.learner && healthy),
  );
  const etcd: ClusterEtcd = {
    state: isComplete && troubles.length === 0 ? 'Healthy' : 'Degraded',
    clusterID,
    transport: transportOf(facts),
    members: membersStatus(facts, owned, clusterID),
    ...(initial && { initial }),
  };
  return { etcd, action, trouble: together(troubles) };
}

/** A member that was alone on unix sockets goes on saying so to those who want to join, until the list says otherwise. */
function relocate(owned: readonly Owned[]): Found {
  for (const { entry, node } of owned) {
    if (node?.stage !== 'wanted' || node.peerURL === undefined) continue;
    if (entry.peerURLs.length === 1 && entry.peerURLs[0] === node.peerURL) continue;
    const action = { do: 'update', node: node.name, id: entry.id, peerURL: node.peerURL } as const;
    return {
      action,
      troubles: [changing(`the etcd of NixNode ${node.name} is reached at ${node.peerURL} from now on`)],
    };
  }
  return { troubles: [] };
}

function ailingOf(facts: EtcdFacts, owned: readonly Owned[], clusterID: string): EtcdTrouble[] {
  const { several: found } = clusterOf(facts);
  const troubles: EtcdTrouble[] = [];
  if (found.length > 1) {
    const others = facts.nodes.filter(
      ({ seen }) => seen?.clusterID !== undefined && seen.clusterID !== clusterID,
    );
    const inList = others.filter(({ name }) => owned.some(({ node }) => node?.name === name));
    if (inList.length > 0)
      troubles.push(conflicting(inList.map(({ name, seen }) => `${name} has ${seen!.clusterID}`)));
  }
  for (const { entry, node, gone, healthy } of owned) {
    if (node?.stage === 'wanted' && !entry.learner && !healthy)
      troubles.push(unhealthy(node.name, problemOf(facts, node, clusterID)));
    if (!node && gone === undefined)
      troubles.push(unknownMember(entry.id, entry.name, entry.peerURLs[0] ?? 'no address'));
  }
  return troubles;
}

/** One condition speaks of all of them: the first has the word, since parts of the plan come in the order of their weight. */
function together(troubles: readonly EtcdTrouble[]): EtcdTrouble | null {
  const [first] = troubles;
  if (!first) return null;
  const gravest = troubles.find(({ verdict }) => verdict === 'waiting') ?? first;
  const others = troubles.filter((one) => one !== gravest);
  const message = several(
    [gravest, ...others].map((one) => one.message),
    '; ',
  );
  const recheckMs = Math.min(...troubles.map((one) => one.recheckMs));
  return { verdict: gravest.verdict, reason: gravest.reason, message, recheckMs };
}
