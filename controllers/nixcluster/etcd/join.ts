/** How nodes become members: one at a time, first as a learner without a vote. Pure. */
import type { EtcdInitial } from '../../../crds/index.ts';
import { type EtcdEntry, type EtcdFacts, type EtcdNode, identityOf, wantedOf } from './facts.ts';
import type { Owned } from './members.ts';
import type { Found } from './plan.ts';
import { cannotJoin, changing, type EtcdTrouble, foreign, joining } from './words.ts';

export function admit(facts: EtcdFacts, owned: readonly Owned[], clusterID: string): Found {
  const joiner = owned.find(({ entry, hasStarted }) => entry.learner || !hasStarted);
  if (joiner) return follow(facts, joiner, owned, clusterID);
  return invite(facts, owned, clusterID);
}

/** Who was added goes all the way before the next one is. */
function follow(facts: EtcdFacts, one: Owned, owned: readonly Owned[], clusterID: string): Found {
  const { entry, node } = one;
  if (node?.stage !== 'wanted') return { troubles: [] };
  const { name } = node;
  if (one.hasStarted) {
    if (!one.healthy && !node.isReachable)
      return { troubles: [cannotJoin(name, 'it is a learner already, and its host cannot be reached')] };
    if (!one.healthy) return { troubles: [joining(name, 'to answer as a learner')] };
    // A majority stays one with one more that answers; etcd refuses who is behind.
    const action = { do: 'promote', node: name, id: entry.id } as const;
    return { action, troubles: [joining(name, 'to catch up as a learner')] };
  }
  const [other] = candidates(facts, owned, clusterID).able;
  if (!node.isReachable && other) {
    const because = `its host cannot be reached, and ${other.name} waits to join`;
    const action = { do: 'remove', id: entry.id, who: name, because, unlessOn: undefined } as const;
    return { action, troubles: [changing(`member ${entry.id} of etcd (${name}) is removed: ${because}`)] };
  }
  const stranger = foreignIn(node, clusterID);
  if (stranger) return { troubles: [stranger] };
  const initial = initialOf(facts, one.entry, node, owned, clusterID);
  return { initial, troubles: [joining(name, 'to start as a learner')] };
}

/** All members by their addresses; names count for the one who reads it alone. */
function initialOf(
  facts: EtcdFacts,
  entry: EtcdEntry,
  node: EtcdNode,
  owned: readonly Owned[],
  clusterID: string,
): EtcdInitial {
  const former = identityOf(facts, node, clusterID);
  const members = owned.flatMap((one) =>
    one.entry.peerURLs.map((url) => ({
      name: one.entry.id === entry.id ? node.name : one.entry.id,
      url,
    })),
  );
  const replaces = former !== undefined &&
    owned.every((one) => one.entry.id !== former) && { replaces: former };
  return { state: 'existing', members, for: [node.name], start: entry.id, ...replaces };
}

function invite(facts: EtcdFacts, owned: readonly Owned[], clusterID: string): Found {
  const { able, troubles } = candidates(facts, owned, clusterID);
  const [next] = able;
  if (!next) return { troubles };
  const action = { do: 'add', node: next.name, peerURL: next.peerURL! } as const;
  return { action, troubles: [joining(next.name, 'to be added as a learner'), ...troubles] };
}

/** Nodes without a member: those that can get one, and what keeps the others from it. */
function candidates(
  facts: EtcdFacts,
  owned: readonly Owned[],
  clusterID: string,
): { able: EtcdNode[]; troubles: EtcdTrouble[] } {
  const able: EtcdNode[] = [];
  const troubles: EtcdTrouble[] = [];
  for (const node of wantedOf(facts)) {
    if (owned.some((one) => one.node?.name === node.name)) continue;
    const stranger = foreignIn(node, clusterID);
    if (node.peerURL === undefined) troubles.push(cannotJoin(node.name, 'it has no number yet'));
    else if (!node.seen) troubles.push(cannotJoin(node.name, 'its host was not heard yet'));
    else if (stranger) troubles.push(stranger);
    else if (!node.isReachable) troubles.push(cannotJoin(node.name, 'its host cannot be reached'));
    else able.push(node);
  }
  return { able, troubles };
}

/** Data that are not known to be useless are for their owner to remove. */
const foreignIn = ({ name, seen }: EtcdNode, clusterID: string): EtcdTrouble | null =>
  seen?.hasData && (seen.clusterID !== clusterID || seen.memberID === undefined)
    ? foreign(name, seen.clusterID)
    : null;
