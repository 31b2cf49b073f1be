/** Which nixpkgs all nodes are built from: one for the cluster, found out once, and moved by the user alone. Pure. */
import type { ClusterPin, NixCluster, NixClusterSpec, NixNode } from '../../crds/index.ts';
import { ReconcileError } from '../lib/core/outcome.ts';
import { several } from '../lib/core/several.ts';
import { lockedFromPin, parseLocked } from '../lib/nix/flake-lock.ts';
import { recordOf } from '../nixnode/pin.ts';
import { byName } from './members.ts';
import { noMembers } from './status.ts';

export type Pin =
  | { state: 'known'; record: ClusterPin }
  /** `resolver` is the member whose host is to find out. */
  | { state: 'asked'; resolver: string };

type Wanted = NixClusterSpec['nixpkgs'];
type Asked = { url: string; refresh: string };

/** What is to be found out, and where an answer may be. */
export type Question = {
  wanted: Wanted;
  kept: Said | undefined;
  /** What the host of a node was built from, and what it looked up. */
  inUse(node: NixNode): Said | undefined;
  lookedUp(node: NixNode): Said | undefined;
};

/** Which nixpkgs the systems are built from. */
export const pinOf = (cluster: NixCluster, members: readonly NixNode[]): Pin =>
  answerTo(
    {
      wanted: cluster.spec.nixpkgs,
      kept: cluster.status?.nixpkgs,
      inUse: ({ status }) => status?.member?.nixpkgs,
      lookedUp: ({ status }) => status?.nixpkgs,
    },
    cluster,
    members,
  );

/**
 * What spec pins goes first; then what status has for this URL and refresh; then what hosts were built from, and what
 * they found out. Before any host is asked anew, all have to have been heard: status may have been lost.
 */
export function answerTo(question: Question, cluster: NixCluster, members: readonly NixNode[]): Pin {
  const { wanted, kept } = question;
  const asked: Asked = { url: wanted.url, refresh: wanted.refresh ?? '' };
  const pinned = lockedFromPin(asked.url, pinOfSpec(wanted));
  if (pinned) return { state: 'known', record: recordOf(asked, pinned) };
  const before = recordFrom(asked, kept);
  if (before) return { state: 'known', record: before };
  const inUse = mostCommon(members.map((node) => recordFrom(asked, question.inUse(node))));
  if (inUse) return { state: 'known', record: inUse };
  const found = [...members]
    .sort((a, b) => Number(isResolver(b)) - Number(isResolver(a)) || byName(a.metadata, b.metadata))
    .map((node) => recordFrom(asked, question.lookedUp(node)))
    .find((record) => record !== undefined);
  if (found) return { state: 'known', record: found };
  return { state: 'asked', resolver: resolverAmong(members, cluster, asked.url, kept !== undefined) };

  function isResolver(node: NixNode): boolean {
    return node.metadata.name === cluster.status?.resolver;
  }
}

const pinOfSpec = ({ rev, narHash }: Wanted): { rev?: string; narHash?: string } => ({
  ...(rev && { rev }),
  ...(narHash && { narHash }),
});

export type Said = { url?: string | undefined; refresh?: string | undefined; locked?: string | undefined };

const answers = (asked: Asked, said: Said): boolean =>
  said.url === asked.url && (said.refresh ?? '') === asked.refresh;

/** Undefined for what answers another question, or is nothing that can be locked: a host may say anything. */
export function recordFrom(asked: Asked, said: Said | undefined): ClusterPin | undefined {
  if (said?.locked === undefined || !answers(asked, said)) return undefined;
  try {
    return recordOf(asked, parseLocked(JSON.parse(said.locked)));
  } catch {
    return undefined;
  }
}

/** What most hosts run; of equally many the newest. */
export function mostCommon(records: readonly (ClusterPin | undefined)[]): ClusterPin | undefined {
  const counted = new Map<string, { record: ClusterPin; hosts: number }>();
  for (const record of records) {
    if (record === undefined) continue;
    const hosts = (counted.get(record.locked)?.hosts ?? 0) + 1;
    counted.set(record.locked, { record, hosts });
  }
  const ranked = [...counted.values()].sort(
    (a, b) =>
      b.hosts - a.hosts ||
      (b.record.lastModified ?? 0) - (a.record.lastModified ?? 0) ||
      (a.record.locked < b.record.locked ? -1 : 1),
  );
  return ranked[0]?.record;
}

/**
 * The former resolver as long as it is reachable, or else the first that is. Throws `waiting`: `MembersUnobserved` where
 * nothing was ever pinned and a host was not heard yet; `NoMembers`; `NoMemberReachable`.
 */
function resolverAmong(
  members: readonly NixNode[],
  cluster: NixCluster,
  url: string,
  wasKnown: boolean,
): string {
  if (members.length === 0) throw noMembers(cluster);
  const { status } = cluster;
  const unheard = members.filter((node) => node.status?.lastObserved === undefined);
  if (!wasKnown && unheard.length > 0) {
    const names = unheard.map(({ metadata }) => metadata.name);
    throw new ReconcileError('waiting', 'MembersUnobserved', unheardSays(names, url));
  }
  const reachable = members.filter(isReachable).sort((a, b) => byName(a.metadata, b.metadata));
  const former = reachable.find(({ metadata }) => metadata.name === status?.resolver);
  const chosen = former ?? reachable[0];
  if (chosen) return chosen.metadata.name;
  throw new ReconcileError(
    'waiting',
    'NoMemberReachable',
    `no host of the cluster can be reached to resolve ${url}: rev and narHash beside it would pin it without`,
  );
}

const isReachable = ({ metadata, status }: NixNode): boolean =>
  metadata.deletionTimestamp === undefined &&
  status?.conditions?.find(({ type }) => type === 'Reachable')?.status === 'True';

const unheardSays = (names: readonly string[], url: string): string =>
  `${url} is resolved once all hosts were heard, since one of them may have been built from it; not heard yet: ${several(names)}`;

/** What keeps the resolver from its answer. Throws `waiting` `NixpkgsUnresolved` with its words, `progressing` otherwise. */
export function awaitAnswer(resolver: string, members: readonly NixNode[], url: string): never {
  const node = members.find(({ metadata }) => metadata.name === resolver);
  const ready = node?.status?.conditions?.find(({ type }) => type === 'Ready');
  if (ready?.reason === 'NixpkgsUnresolved') {
    throw new ReconcileError('waiting', 'NixpkgsUnresolved', `NixNode ${resolver}: ${ready.message}`);
  }
  throw new ReconcileError(
    'progressing',
    'ResolvingNixpkgs',
    `the host of NixNode ${resolver} resolves ${url}`,
  );
}
