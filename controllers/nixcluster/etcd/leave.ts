/** Which members go: of nodes that leave or are gone, and those that nobody can be any more. Pure. */
import { answerOf, type EtcdFacts, identityOf } from './facts.ts';
import { type Owned, unsafeWithout } from './members.ts';
import type { EtcdAction, Found } from './plan.ts';
import { changing, type EtcdTrouble, guarded } from './words.ts';

type Leaving = { one: Owned; because: string; unlessOn: string | undefined };

/** Who is not healthy goes first: that costs nothing. */
export function leave(facts: EtcdFacts, owned: readonly Owned[], clusterID: string): Found {
  const leaving = owned
    .flatMap((one) => leavingOf(facts, one, clusterID) ?? [])
    .sort((a, b) => Number(a.one.healthy) - Number(b.one.healthy));
  const troubles: EtcdTrouble[] = [];
  for (const { one, because, unlessOn } of leaving) {
    const { id } = one.entry;
    const who = one.node?.name ?? one.gone ?? (one.entry.name || 'never started');
    const risk = unsafeWithout(one, owned);
    const isAccepted = facts.accepted.removal === id && risk?.left !== 0;
    if (risk && !isAccepted) {
      troubles.push(guarded(who, id, risk.left, risk.healthy));
      continue;
    }
    const action: EtcdAction = { do: 'remove', id, who, because, unlessOn };
    return {
      action,
      troubles: [changing(`member ${id} of etcd (${who}) is removed: ${because}`), ...troubles],
    };
  }
  return { troubles };
}

function leavingOf(facts: EtcdFacts, one: Owned, clusterID: string): Leaving | null {
  const { entry, node, gone } = one;
  const leaves = (because: string, unlessOn?: string): Leaving => ({ one, because, unlessOn });
  if (facts.accepted.removal === entry.id) return leaves('its ID is in an annotation of the NixCluster');
  if (gone !== undefined) return leaves(`NixNode ${gone} is gone`);
  if (!node) return null;
  if (node.stage === 'leaving') return leaves(`NixNode ${node.name} leaves`);
  if (!node.seen) return null;
  const isRunning = answerOf(facts, node.name, clusterID)?.id === entry.id;
  if (isRunning) return null;
  const { seen } = node;
  // Added, and the host made data by its ID that are gone: it must not begin a second time.
  if (!one.hasStarted)
    return seen.started === entry.id && !seen.hasData
      ? leaves('its host lost its data before it was a member', node.name)
      : null;
  if (identityOf(facts, node, clusterID) === entry.id || !node.isReachable) return null;
  return leaves(seen.hasData ? 'its host has data of another member' : 'its host lost its data', node.name);
}
