/** Which nixpkgs each minor version of Kubernetes is taken from: in an upgrade there are two. Pure. */
import {
  type ClusterPin,
  type KubernetesSource,
  minorNumber,
  minorText,
  type NixCluster,
  type NixNode,
} from '../../crds/index.ts';
import { ReconcileError } from '../lib/core/outcome.ts';
import { answerTo, mostCommon, recordFrom } from './pin.ts';
import type { Upgrade } from './upgrade.ts';

export type Sources = {
  /** In the order of versions. */
  sources: KubernetesSource[];
  /** The member that is to find out what the spec asks for; undefined: that is known. */
  resolver: string | undefined;
};

/** Versions that nodes have, or are to have. */
export function neededBy(upgrade: Upgrade, nodes: readonly NixNode[]): number[] {
  const told = [...upgrade.nodes.values()].flatMap((versions) => Object.values(versions));
  const had = nodes.flatMap(({ status }) =>
    (status?.member?.kubernetes?.sources ?? []).map(({ version }) => version),
  );
  return [...new Set([...told, upgrade.to, ...had.map(minorNumber)])].sort((a, b) => a - b);
}

/**
 * What the spec names is for the version that the spec names, and no other. `nixpkgs` is that of the systems, undefined
 * while it is not known; it is the source where `spec.kubernetes.nixpkgs` names none. Others stay what they were.
 */
export function sourcesOf(
  cluster: NixCluster,
  members: readonly NixNode[],
  nixpkgs: ClusterPin | undefined,
  needed: readonly number[],
): Sources {
  const { version, nixpkgs: own } = cluster.spec.kubernetes;
  const asked = own ? answerTo(questionOf(cluster, own), cluster, members) : undefined;
  const wanted = asked?.state === 'known' ? asked.record : own ? undefined : nixpkgs;
  const versions = [...new Set([...needed, minorNumber(version)])].sort((a, b) => a - b).map(minorText);
  const sources = versions.flatMap((one) => {
    const source = one === version && wanted ? wanted : formerSource(cluster, members, one);
    return source ? [{ version: one, url: source.url, ...refreshOf(source), locked: source.locked }] : [];
  });
  return { sources: newest(sources), resolver: asked?.state === 'asked' ? asked.resolver : undefined };
}

/** As many as status holds: who needs an older one runs it already. */
const newest = (sources: KubernetesSource[]): KubernetesSource[] => sources.slice(-4);

const refreshOf = ({ refresh }: { refresh?: string | undefined }) => (refresh ? { refresh } : {});

const questionOf = (cluster: NixCluster, wanted: NixCluster['spec']['nixpkgs']) => {
  const { version } = cluster.spec.kubernetes;
  return {
    wanted,
    kept: cluster.status?.kubernetes?.sources?.find((source) => source.version === version),
    inUse: (node: NixNode) => sourceOn(node, version),
    lookedUp: ({ status }: NixNode) => status?.kubernetesNixpkgs,
  };
};

const sourceOn = ({ status }: NixNode, version: string): KubernetesSource | undefined =>
  status?.member?.kubernetes?.sources.find((source) => source.version === version);

/** What status has, or what most hosts run it from. */
function formerSource(
  cluster: NixCluster,
  members: readonly NixNode[],
  version: string,
): KubernetesSource | ClusterPin | undefined {
  const kept = cluster.status?.kubernetes?.sources?.find((source) => source.version === version);
  if (kept) return kept;
  return mostCommon(
    members.map((node) => {
      const said = sourceOn(node, version);
      return said && recordFrom({ url: said.url, refresh: said.refresh ?? '' }, said);
    }),
  );
}

/** Whether `to` can be taken from somewhere, and from somewhere else than what it follows. */
export function hasSourceFor(
  { sources }: Pick<Sources, 'sources'>,
  { runs, to }: Pick<Upgrade, 'runs' | 'to'>,
): boolean {
  const of = (minor: number) => sources.find(({ version }) => version === minorText(minor))?.locked;
  return of(to) !== undefined && (runs === undefined || runs === to || of(to) !== of(runs));
}

/** Throws where the next version is to come from the very nixpkgs that has the one before. */
export function checkNext({ sources }: Sources, cluster: NixCluster, { runs }: Upgrade): void {
  const { version } = cluster.spec.kubernetes;
  const next = sources.find((source) => source.version === version);
  if (runs === undefined || !next || hasSourceFor({ sources }, { runs, to: minorNumber(version) })) return;
  const message = `spec.kubernetes.version is ${version}, and ${next.url} is what Kubernetes ${minorText(runs)} comes from: name a nixpkgs that has ${version} in spec.kubernetes.nixpkgs, or in spec.nixpkgs; a new value of its refresh looks there for a newer one`;
  throw new ReconcileError('terminal', 'KubernetesNotInNixpkgs', message);
}

/** Throws where a version that nodes are to have comes from nowhere. */
export function checkSources({ sources }: Sources, upgrade: Upgrade): void {
  const known = new Set(sources.map(({ version }) => version));
  const missing = [...new Set([...upgrade.nodes.values()].flatMap((versions) => Object.values(versions)))]
    .map(minorText)
    .filter((version) => !known.has(version));
  if (missing.length === 0) return;
  const message = `nobody knows any more which nixpkgs has Kubernetes ${missing.join(', ')}, and nodes need it: set spec.kubernetes.version to "${missing[0]}" with its spec.kubernetes.nixpkgs first`;
  throw new ReconcileError('waiting', 'KubernetesSourceUnknown', message);
}
