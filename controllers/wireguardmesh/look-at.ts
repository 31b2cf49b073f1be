/** What to look at where a pair has no tunnel: the likeliest cause, from what is known of both. Pure. */
import type { MeshNode, MeshPair, WireguardMeshStatus } from '../../crds/index.ts';
import { clip } from '../lib/core/clip.ts';
import { endpointAt } from './epochs.ts';
import { type Member, unreachableFor } from './members.ts';
import { canBeDialled, meetDirectly, type relaysOf } from './relays.ts';

export type Down = NonNullable<WireguardMeshStatus['down']>[number];

const shown = 32;
/** Bound of crds/wireguardmesh-status.ts. */
const maxWords = 512;

/** `pairs` with the worst first, `epoch` the one that traffic goes by. */
export function downOf(
  nodes: readonly MeshNode[],
  members: readonly Member[],
  pairs: readonly MeshPair[],
  epoch: number,
): Down[] {
  const bad = pairs.filter(({ state }) => state !== 'Connected');
  const byNode = new Map(nodes.map((node) => [node.name, node]));
  const byMember = new Map(members.map((member) => [member.node.metadata.name, member]));
  const silent = silentNodes(bad, pairs);
  const partyOf = (name: string): Party => ({
    node: byNode.get(name)!,
    member: byMember.get(name),
    isSilent: silent.has(name),
  });
  return bad.slice(0, shown).map(({ a, b, lastHandshake }) => ({
    a,
    b,
    ...(lastHandshake !== undefined && { lastHandshake }),
    lookAt: clip(causeOf(partyOf(a), partyOf(b), epoch), maxWords),
  }));
}

type Party = { readonly node: MeshNode; readonly member: Member | undefined; readonly isSilent: boolean };

/** Nodes of which no pair is connected, though they have more than one. */
function silentNodes(bad: readonly MeshPair[], all: readonly MeshPair[]): Set<string> {
  const count = (pairs: readonly MeshPair[]) => {
    const counts = new Map<string, number>();
    for (const name of pairs.flatMap(({ a, b }) => [a, b])) counts.set(name, (counts.get(name) ?? 0) + 1);
    return counts;
  };
  const total = count(all);
  return new Set(
    [...count(bad)].filter(([name, times]) => times > 1 && times === total.get(name)).map(([name]) => name),
  );
}

function causeOf(a: Party, b: Party, epoch: number): string {
  const ofOne = [a, b].map((party) => causeOn(party, epoch));
  const known = ofOne.map(({ known }) => known).find((words) => words !== undefined);
  // Where both are silent, the fault of one explains nothing.
  const suspected = a.isSilent !== b.isSilent ? ofOne[a.isSilent ? 0 : 1]?.suspected : undefined;
  return known ?? suspected ?? wayBetween(a.node, b.node, epoch);
}

function causeOn({ node, member }: Party, epoch: number): { known: string | undefined; suspected: string } {
  const { problem, keys = [] } = member?.node.status?.mesh ?? {};
  const unreachable = member && unreachableFor(member);
  const where = canBeDialled(node)
    ? `whether UDP to ${endpointAt(node.endpoint!, epoch)} gets there: its firewall, its provider's, spec.mesh.endpoint`
    : 'whether its network lets UDP out';
  const known =
    unreachable !== undefined
      ? `${node.name} does not answer the operator either (${unreachable}): whether it runs`
      : problem !== undefined
        ? `${node.name}: ${problem}`
        : keys.some((key) => key.epoch === epoch)
          ? undefined
          : `${node.name} has made no key yet: whether its release is deployed`;
  return { known, suspected: `${node.name} has a tunnel to nobody: ${where}` };
}

const wayBetween = (a: MeshNode, b: MeshNode, epoch: number): string =>
  `the way between ${a.name} and ${b.name}: whether UDP gets to ${[a, b]
    .filter(canBeDialled)
    .map((node) => endpointAt(node.endpoint!, epoch))
    .join(' and to ')}`;

/** Pairs that have no way at all: neither can be dialled, and nobody relays. The first few. */
export function wayless(nodes: readonly MeshNode[], relays: ReturnType<typeof relaysOf>): Down[] {
  if (relays.length > 0) return [];
  const hidden = nodes.filter((node) => !canBeDialled(node)).slice(0, 9);
  return hidden
    .flatMap((a, at) =>
      hidden
        .slice(at + 1)
        .filter((b) => !meetDirectly(a, b))
        .map((b) => ({
          a: a.name,
          b: b.name,
          lookAt:
            'both are behind NAT, and there is no node that both reach: one node of the mesh must be dialled',
        })),
    )
    .slice(0, shown);
}
