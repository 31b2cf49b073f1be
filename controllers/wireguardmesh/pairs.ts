/** How the pairs of nodes are, from what both sides tell of each other. Pure. */
import type { MeshNode, MeshPair } from '../../crds/index.ts';
import { type Member, type Said, unreachableFor } from './members.ts';
import { keyAt } from './peers.ts';
import { meetDirectly } from './relays.ts';

type Side = { readonly node: MeshNode; readonly member: Member | undefined };
/** What one side tells of the other. */
type View = Said['details'][number] & { readonly by: string; readonly isStale: boolean };

/** A host tells of so many peers at most: of larger meshes it is known which pairs are bad, and not each good one. */
const wholeUpTo = 64;

/** Pairs that meet directly, the worst first, in the epoch that traffic goes by. */
export function pairsOf(nodes: readonly MeshNode[], members: readonly Member[], epoch: number): MeshPair[] {
  const byName = new Map(members.map((member) => [member.node.metadata.name, member]));
  const sides = new Map(
    nodes.map((node): [string, Side] => [node.name, { node, member: byName.get(node.name) }]),
  );
  const views = Map.groupBy(viewsOf(sides, epoch), ({ by, name }) => pairKey(by, name));
  const unseen = nodes.length <= wholeUpTo ? unseenPairs([...sides.values()], views) : [];
  return [...[...views].map(([key, told]) => pairOf(key, told)), ...unseen].sort(worstFirst);
}

const pairKey = (a: string, b: string): string => (a < b ? `${a} ${b}` : `${b} ${a}`);

const viewsOf = (sides: ReadonlyMap<string, Side>, epoch: number): View[] =>
  [...sides].flatMap(([by, { node, member }]) => {
    const isStale = member === undefined || unreachableFor(member) !== undefined;
    return (member?.node.status?.mesh?.details ?? [])
      .filter((detail) => {
        const other = sides.get(detail.name);
        return detail.epoch === epoch && other !== undefined && meetDirectly(node, other.node);
      })
      .map((detail) => ({ ...detail, by, isStale }));
  });

/** A handshake takes two, so that one side's word is enough; that keys are gone is seen by one of them first. */
function pairOf(key: string, views: readonly View[]): MeshPair {
  const [a = '', b = ''] = key.split(' ');
  const current = views.filter(({ isStale }) => !isStale);
  const states = (current.length > 0 ? current : views).map(({ state }) => state);
  const lastHandshake = views
    .map((view) => view.lastHandshake ?? '')
    .sort()
    .at(-1);
  const [ours, theirs] = [views.find(({ by }) => by === a), views.find(({ by }) => by === b)];
  return {
    a,
    b,
    state: states.includes('Down') ? 'Down' : states.includes('Connected') ? 'Connected' : 'Waiting',
    ...(lastHandshake && { lastHandshake }),
    receivedBytes: ours?.receivedBytes ?? theirs?.sentBytes ?? 0,
    sentBytes: ours?.sentBytes ?? theirs?.receivedBytes ?? 0,
  };
}

/** Pairs that nobody tells of yet. */
function unseenPairs(sides: readonly Side[], views: ReadonlyMap<string, unknown>): MeshPair[] {
  const nodes = sides.map(({ node }) => node);
  return nodes.flatMap((one, at) =>
    nodes
      .slice(at + 1)
      .filter((other) => meetDirectly(one, other) && !views.has(pairKey(one.name, other.name)))
      .map((other) => {
        const [a, b] = one.name < other.name ? [one.name, other.name] : [other.name, one.name];
        return { a, b, state: 'Waiting' as const, receivedBytes: 0, sentBytes: 0 };
      }),
  );
}

const badness = { Down: 0, Waiting: 1, Connected: 2 } as const;

export const worstFirst = (one: MeshPair, other: MeshPair): number =>
  badness[one.state] - badness[other.state] ||
  compare(one.lastHandshake ?? '', other.lastHandshake ?? '') ||
  compare(one.a, other.a) ||
  compare(one.b, other.b);

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Names of the nodes that have a tunnel to each of their peers. */
export function connectedNodes(
  nodes: readonly MeshNode[],
  members: readonly Member[],
  pairs: readonly MeshPair[],
  epoch: number,
): string[] {
  const bad = new Set(pairs.filter(({ state }) => state !== 'Connected').flatMap(({ a, b }) => [a, b]));
  const told = new Map(members.map(({ node }) => [node.metadata.name, node.status?.mesh?.peers ?? 0]));
  const dialled = nodes.filter((node) => node.endpoint !== undefined).length;
  return nodes
    .filter((node) => {
      const peers = node.endpoint === undefined ? dialled : nodes.length - 1;
      const isComplete = nodes.length <= wholeUpTo || (told.get(node.name) ?? 0) >= peers;
      return keyAt(node, epoch) !== undefined && !bad.has(node.name) && isComplete;
    })
    .map(({ name }) => name);
}
