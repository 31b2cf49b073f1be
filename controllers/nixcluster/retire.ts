/** What becomes of the numbers of those who leave. Pure. */
import type { RetiredIndex } from '../../crds/index.ts';
import type { Member } from './members.ts';

export type Numbered = { name: string; uid: string; index: number };
export type Known = { nodes: readonly Numbered[]; retired: readonly RetiredIndex[] };
/** What status.retiredIndexes holds. */
export const maxRetired = 4096;

/**
 * Takes out who has left. After a reset nothing uses the number any more; of whoever else left, nobody knows, and the
 * number is retired. `at` is the time as status writes it.
 */
export function retireLeavers(known: Known, members: readonly Member[], at: string): Known {
  const byMember = new Map(members.map((member) => [member.name, member]));
  const nodes: Numbered[] = [];
  const leaving: Numbered[] = [];
  for (const node of known.nodes) {
    const member = byMember.get(node.name);
    if (member?.stage === 'reset') continue;
    if (member === undefined || member.stage === 'left' || isAnother(member, node)) leaving.push(node);
    else nodes.push({ ...node, uid: member.uid });
  }
  // Given up before it was entered here: status was lost meanwhile.
  for (const { name, uid, stage, claimed } of members) {
    const entered = known.nodes.some((node) => node.name === name);
    if (stage === 'left' && claimed !== undefined && !entered) leaving.push({ name, uid, index: claimed });
  }
  return retire(nodes, known, leaving, at);
}

/** A namesake that asks for another number takes another host's place, not this one's. */
const isAnother = (member: Member, node: Numbered): boolean =>
  member.uid !== node.uid && member.asked !== undefined && member.asked !== node.index;

function retire(nodes: readonly Numbered[], known: Known, leaving: readonly Numbered[], at: string): Known {
  const kept = [...nodes];
  const retired = new Map(known.retired.map((entry) => [entry.index, entry]));
  for (const node of leaving) {
    const { name, index } = node;
    if (retired.has(index) || nodes.some((other) => other.index === index)) continue;
    // Forgetting a number would hand it out again: rather a node stays that is gone, and `assign` says so.
    if (retired.size >= maxRetired) kept.push(node);
    else retired.set(index, { index, name, at });
  }
  return { nodes: kept, retired: [...retired.values()] };
}
