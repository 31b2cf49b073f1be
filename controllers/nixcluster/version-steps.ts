/** The steps of a visit that decide what nodes are built from, and which Kubernetes they have. */
import type { NixCluster, NixNode } from '../../crds/index.ts';
import type { Context } from '../lib/runtime/controller.ts';
import { checkNext, checkSources, neededBy, type Sources, sourcesOf } from './kubernetes-sources.ts';
import { awaitAnswer, pinOf } from './pin.ts';
import type { Upgrade } from './upgrade.ts';
import {
  awaitSource,
  checkProgress,
  checkRefusal,
  kubernetesStatus,
  upgradeNews,
  upgradeOf,
} from './versions.ts';

export type VersionsVisit = {
  cluster: NixCluster;
  context: Context<NixCluster>;
  members: readonly NixNode[];
  upgrade: Upgrade;
  /** As status has them; then as they are. */
  sources: Sources;
  /** Whether all that the spec names was found out. */
  resolved: boolean;
};

export function beginVersions(
  cluster: NixCluster,
  context: Context<NixCluster>,
  members: readonly NixNode[],
): VersionsVisit {
  const sources = { sources: cluster.status?.kubernetes?.sources ?? [], resolver: undefined };
  const upgrade = awaitSource(cluster, members, upgradeOf(cluster, members), sources);
  return { cluster, context, members, upgrade, sources, resolved: false };
}

/** Throws `waiting` or `progressing` while a host has yet to find something out; what is known by then is reported. */
export function pin(visit: VersionsVisit, reportNodes: () => void): void {
  const { cluster, context, members } = visit;
  const found = pinOf(cluster, members);
  const nixpkgs = found.state === 'known' ? found.record : undefined;
  const wanted = upgradeOf(cluster, members);
  const sources = sourcesOf(cluster, members, nixpkgs, neededBy(wanted, members));
  visit.sources = sources;
  visit.upgrade = awaitSource(cluster, members, wanted, sources);
  visit.resolved = found.state === 'known' && sources.resolver === undefined;
  reportNodes();
  const resolver = found.state === 'asked' ? found.resolver : sources.resolver;
  context.report({
    ...(nixpkgs && { nixpkgs }),
    resolver,
    kubernetes: kubernetesStatus(visit.upgrade, sources),
  });
  if (found.state === 'asked') awaitAnswer(found.resolver, members, cluster.spec.nixpkgs.url);
  if (sources.resolver) awaitAnswer(sources.resolver, members, cluster.spec.kubernetes.nixpkgs?.url ?? '');
}

/** Throws with what to ask for instead, or with how far an upgrade is. */
export function checkUpgrade({ cluster, context, upgrade, sources, resolved }: VersionsVisit): void {
  const news = upgradeNews(cluster.status?.kubernetes, upgrade);
  if (news) context.event('Normal', 'Upgrade', news);
  checkRefusal(upgrade);
  if (resolved) checkSources(sources, upgrade);
  checkNext(sources, cluster, upgrade);
  checkProgress(upgrade);
}
