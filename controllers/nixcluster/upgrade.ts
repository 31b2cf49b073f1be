/**
 * Which version each component of each node is to have: what kubernetes.io/releases/version-skew-policy allows, in its
 * order. Everything follows from what nodes run; nothing is remembered. Pure.
 *
 * An upgrade moves one group of components after the other, each on all nodes: etcd, API servers, controllers, kubelets. A
 * group moves when every node has what came before. So API servers differ by one minor at most, and nothing is newer than
 * any of them. Nodes change one by one, with drains and gates, by the roll-out.
 */
import { type ComponentGroup, componentGroups } from '../../crds/index.ts';
import { several } from '../lib/core/several.ts';

/** Minors, as numbers. */
export type Versions = { readonly [G in ComponentGroup]?: number };

export type UpgradeNode = {
  name: string;
  /** What it has, or is to have. */
  groups: readonly ComponentGroup[];
  /** What runs there, by its own words. */
  runs: Versions;
};

export type Refusal = {
  reason: 'UpgradeSkipsMinor' | 'KubernetesGoesBack' | 'KubeletTooOld';
  message: string;
};

export type Upgrade = {
  /** The minor that all API servers have at least; undefined where none runs. */
  runs: number | undefined;
  /** Where it goes; where nothing is to be done, the minor that all have. */
  to: number;
  /** The group that moves now; null where nothing does. */
  stage: ComponentGroup | null;
  nodes: ReadonlyMap<string, Versions>;
  refusal: Refusal | null;
  /** How far it is: `API servers 2/3 (node3), then controllers, then kubelets`; empty where nothing moves. */
  progress: string;
};

/** How many minors older than an API server a kubelet may be. */
const kubeletLag = 3;

export function planUpgrade(wanted: number, nodes: readonly UpgradeNode[]): Upgrade {
  const apiServers = versionsOf(nodes, 'apiServer');
  // Of etcd it says where it comes from, and it may come from the next one already.
  const all = componentGroups
    .filter((group) => group !== 'etcd')
    .flatMap((group) => versionsOf(nodes, group));
  const runs = apiServers.length > 0 ? Math.min(...apiServers) : undefined;
  const refusal = refusalOf(wanted, runs, Math.max(wanted, ...all), nodes);
  if (refusal) return held(nodes, runs ?? Math.max(...all), runs, refusal);
  const stages = componentGroups.map((group) => ({ group, behind: behind(nodes, group, wanted) }));
  // Where no API server runs yet there is nothing to keep in step with.
  const stage = runs === undefined ? undefined : stages.find(({ behind }) => behind.length > 0)?.group;
  const reached = stage === undefined ? componentGroups.length : componentGroups.indexOf(stage);
  const next = (group: ComponentGroup) => wanted - (componentGroups.indexOf(group) > reached ? 1 : 0);
  return {
    runs,
    to: wanted,
    stage: stage ?? null,
    nodes: assigned(nodes, next),
    refusal: null,
    progress: stage === undefined ? '' : progressOf(nodes, stages, stage),
  };
}

const versionsOf = (nodes: readonly UpgradeNode[], group: ComponentGroup): number[] =>
  nodes.flatMap(({ groups, runs }) => (groups.includes(group) ? (runs[group] ?? []) : []));

/** Who runs an older one. A node that runs none gets what is right by then. */
const behind = (nodes: readonly UpgradeNode[], group: ComponentGroup, wanted: number): string[] =>
  nodes
    .filter(({ groups, runs }) => groups.includes(group) && (runs[group] ?? wanted) < wanted)
    .map(({ name }) => name);

/** A component never goes back by itself, whatever is asked for. */
const assigned = (
  nodes: readonly UpgradeNode[],
  next: (group: ComponentGroup) => number,
): ReadonlyMap<string, Versions> =>
  new Map(
    nodes.map(({ name, groups, runs }) => [
      name,
      Object.fromEntries(groups.map((group) => [group, Math.max(next(group), runs[group] ?? 0)])),
    ]),
  );

/** Every node stays at what it runs, and a new one gets what all can live with. */
const held = (
  nodes: readonly UpgradeNode[],
  from: number,
  runs: number | undefined,
  refusal: Refusal,
): Upgrade => ({
  runs,
  to: from,
  stage: null,
  nodes: new Map(
    nodes.map(({ name, groups, runs: has }) => [
      name,
      Object.fromEntries(groups.map((group) => [group, has[group] ?? from])),
    ]),
  ),
  refusal,
  progress: '',
});

const text = (minor: number): string => `1.${minor}`;

function refusalOf(
  wanted: number,
  runs: number | undefined,
  highest: number,
  nodes: readonly UpgradeNode[],
): Refusal | null {
  if (highest > wanted) {
    const message = `${text(highest)} runs already, and Kubernetes does not go back to ${text(wanted)}: what it has written may not be read by the older one. Set spec.kubernetes.version to "${text(highest)}", or restore a backup of etcd into a new cluster`;
    return { reason: 'KubernetesGoesBack', message };
  }
  if (runs !== undefined && wanted > runs + 1) {
    return { reason: 'UpgradeSkipsMinor', message: ladder(runs, wanted) };
  }
  const old = nodes.filter(({ runs }) => runs.kubelet !== undefined && runs.kubelet < wanted - kubeletLag);
  if (runs !== undefined && runs < wanted && old.length > 0) {
    const names = several(old.map(({ name, runs }) => `${name} (${text(runs.kubelet!)})`));
    const message = `an API server of ${text(wanted)} takes kubelets of ${text(wanted - kubeletLag)} or newer, and there are older ones: ${names}. Bring these nodes to ${text(runs)} first, or delete them`;
    return { reason: 'KubeletTooOld', message };
  }
  return null;
}

/** `from 1.36 go to 1.37 first, then 1.38`. */
export function ladder(from: number, to: number): string {
  const rungs = Array.from({ length: to - from }, (_, step) => text(from + step + 1));
  const [first, ...others] = rungs;
  const way = others.length > 3 ? [...others.slice(0, 1), '…', ...others.slice(-1)] : others;
  return `Kubernetes moves one minor at a time: from ${text(from)} go to ${first} first, then ${way.join(', then ')}. Each has to run on all control-plane nodes before the next one`;
}

export const groupWords: Record<ComponentGroup, string> = {
  etcd: 'etcd',
  apiServer: 'API servers',
  controllers: 'controllers',
  kubelet: 'kubelets',
};

function progressOf(
  nodes: readonly UpgradeNode[],
  stages: readonly { group: ComponentGroup; behind: readonly string[] }[],
  stage: ComponentGroup,
): string {
  const { behind: waiting } = stages.find(({ group }) => group === stage)!;
  const count = nodes.filter(({ groups }) => groups.includes(stage)).length;
  const rest = componentGroups
    .slice(componentGroups.indexOf(stage) + 1)
    .filter((group) => nodes.some(({ groups }) => groups.includes(group)))
    .map((group) => `then ${groupWords[group]}`);
  const now = `${groupWords[stage]} ${count - waiting.length}/${count} (waits for ${several(waiting)})`;
  return [now, ...rest].join(', ');
}
