/** Whose member is whose, and how many may be missing. Pure. */
import type { ClusterEtcd, EtcdMember } from '../../../crds/index.ts';
import { byName } from '../members.ts';
import { answerOf, type EtcdEntry, type EtcdFacts, type EtcdNode, identityOf } from './facts.ts';

export type Owned = {
  entry: EtcdEntry;
  /** The node whose member it is. */
  node: EtcdNode | undefined;
  /** The name of a node that is not there any more. */
  gone: string | undefined;
  /** Whether it answers, knows a leader, and has nothing to complain of. */
  healthy: boolean;
  /** Whether it ever ran: then its data are somewhere, or lost. */
  hasStarted: boolean;
};

/** The list with everything that is known of each member, in the order of their IDs. */
export function ownersOf(facts: EtcdFacts, list: readonly EtcdEntry[], clusterID: string): Owned[] {
  return [...list]
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .map((entry) => {
      const { node, gone } = ownerOf(facts, entry, clusterID);
      const answer = node && answerOf(facts, node.name, clusterID);
      const isSelf = answer?.id === entry.id;
      return {
        entry,
        node,
        gone,
        healthy: isSelf && answer.hasLeader && answer.problems.length === 0,
        hasStarted: entry.name !== '' || (node && identityOf(facts, node, clusterID)) === entry.id,
      };
    });
}

/** By what its host says; then by the names and addresses that nodes have; then by what was known of it before. */
function ownerOf(
  facts: EtcdFacts,
  { id, name, peerURLs }: EtcdEntry,
  clusterID: string,
): Pick<Owned, 'node' | 'gone'> {
  const { nodes, before } = facts;
  const node =
    nodes.find((one) => identityOf(facts, one, clusterID) === id) ??
    nodes.find((one) => name !== '' && one.name === name) ??
    nodes.find(({ peerURL }) => peerURL !== undefined && peerURLs.includes(peerURL));
  if (node) return { node, gone: undefined };
  const former = before?.members?.find((one) => one.id === id)?.node;
  const namesake = nodes.find((one) => one.name === former);
  return { node: namesake, gone: namesake ? undefined : former };
}

/** How many of so many voters have to agree. */
export const quorumOf = (voters: number): number => Math.floor(voters / 2) + 1;

export const votersOf = (owned: readonly Owned[]): Owned[] => owned.filter(({ entry }) => !entry.learner);

/** What the cluster would be without a member; `null` where that is safe: the rest can still decide. */
export function unsafeWithout(one: Owned, owned: readonly Owned[]): { left: number; healthy: number } | null {
  if (one.entry.learner) return null;
  const rest = votersOf(owned).filter(({ entry }) => entry.id !== one.entry.id);
  const healthy = rest.filter((other) => other.healthy).length;
  return rest.length > 0 && healthy >= quorumOf(rest.length) ? null : { left: rest.length, healthy };
}

/** By the names of their nodes, as people look for them. */
export function membersStatus(
  facts: EtcdFacts,
  owned: readonly Owned[],
  clusterID: string,
): NonNullable<ClusterEtcd['members']> {
  const members = owned.map(({ entry, node, gone, healthy }): EtcdMember => {
    const name = node?.name ?? gone;
    const problem = healthy ? undefined : problemOf(facts, node, clusterID);
    return {
      ...(entry.name !== '' && { name: entry.name }),
      ...(name !== undefined && { node: name }),
      id: entry.id,
      learner: entry.learner,
      healthy,
      ...(entry.peerURLs[0] !== undefined && { peerURL: entry.peerURLs[0] }),
      ...(problem !== undefined && { problem }),
    };
  });
  return members.sort((a, b) =>
    a.node === b.node ? Number(a.id > b.id) - 0.5 : byName({ name: a.node ?? '' }, { name: b.node ?? '' }),
  );
}

/** Why a member is not healthy, as far as anybody knows. */
export function problemOf(
  facts: EtcdFacts,
  node: EtcdNode | undefined,
  clusterID: string,
): string | undefined {
  const answer = node && facts.answers.get(node.name);
  if (answer === undefined) return undefined;
  if ('silent' in answer) return answer.silent.slice(0, 1024);
  if (answer.clusterID !== clusterID) return `it is of another cluster, ${answer.clusterID}`;
  if (!answer.hasLeader) return 'it knows no leader';
  return answer.problems[0]?.slice(0, 1024);
}
