/** What nodes run and are to run of Kubernetes, between the plan of an upgrade and the objects. Pure. */
import {
  type ClusterNode,
  type ComponentGroup,
  type ComponentVersions,
  componentGroups,
  minorNumber,
  minorText,
  type NixCluster,
  type NixNode,
} from '../../crds/index.ts';
import { ReconcileError } from '../lib/core/outcome.ts';
import { hasSourceFor, type Sources } from './kubernetes-sources.ts';
import { groupWords, planUpgrade, type Upgrade, type UpgradeNode, type Versions } from './upgrade.ts';

type Roles = Pick<NixNode, 'spec'>['spec']['roles'];

/** Which components a node of these roles has. */
export function groupsOf(roles: Roles, { spec }: NixCluster): ComponentGroup[] {
  if (!roles.includes('control-plane')) return roles.includes('worker') ? ['kubelet'] : [];
  return componentGroups.filter((group) => group !== 'etcd' || spec.datastore.type === 'Etcd');
}

const numbersOf = (versions: ComponentVersions = {}): Versions =>
  Object.fromEntries(
    componentGroups.flatMap((group) => {
      const version = versions[group];
      return version === undefined ? [] : [[group, minorNumber(version)]];
    }),
  );

const textsOf = (versions: Versions): ComponentVersions =>
  Object.fromEntries(Object.entries(versions).map(([group, minor]) => [group, minorText(minor)]));

/** The plan for what the spec wants. */
export const upgradeOf = (cluster: NixCluster, members: readonly NixNode[]): Upgrade =>
  planUpgrade(minorNumber(cluster.spec.kubernetes.version), upgradeNodes(cluster, members));

const upgradeNodes = (cluster: NixCluster, members: readonly NixNode[]): UpgradeNode[] =>
  members.map((node) => {
    const { member } = node.status ?? {};
    const isOurs = member?.cluster === cluster.metadata.name;
    return {
      name: node.metadata.name,
      groups: groupsOf(node.spec.roles, cluster),
      runs: numbersOf(isOurs ? member.kubernetes?.versions : undefined),
    };
  });

/** Where the next version comes from has to be known before anything moves. */
export function awaitSource(
  cluster: NixCluster,
  members: readonly NixNode[],
  upgrade: Upgrade,
  sources: Pick<Sources, 'sources'>,
): Upgrade {
  if (upgrade.runs === undefined || hasSourceFor(sources, upgrade)) return upgrade;
  return planUpgrade(upgrade.runs, upgradeNodes(cluster, members));
}

export const withVersions = (nodes: readonly ClusterNode[], upgrade: Upgrade): ClusterNode[] =>
  nodes.map((node) => {
    const versions = upgrade.nodes.get(node.name);
    return versions ? { ...node, kubernetes: textsOf(versions) } : node;
  });

type KubernetesStatus = NonNullable<NonNullable<NixCluster['status']>['kubernetes']>;

export const kubernetesStatus = ({ runs, to, stage }: Upgrade, { sources }: Sources): KubernetesStatus => ({
  ...(runs !== undefined && { version: minorText(runs) }),
  ...(stage && { target: minorText(to), stage }),
  sources,
});

/** Throws with what to ask for instead. */
export function checkRefusal({ refusal }: Upgrade): void {
  if (refusal) throw new ReconcileError('terminal', refusal.reason, refusal.message);
}

/** Throws with how far an upgrade is. */
export function checkProgress({ stage, to, progress }: Upgrade): void {
  if (stage === null) return;
  const message = `Kubernetes goes to ${minorText(to)}: ${progress}`;
  throw new ReconcileError('progressing', 'Upgrading', message);
}

/** What is worth an event; undefined: nothing. */
export function upgradeNews(former: KubernetesStatus | undefined, upgrade: Upgrade): string | undefined {
  const { stage, to } = upgrade;
  if (stage !== null && (stage !== former?.stage || minorText(to) !== former.target)) {
    return `Kubernetes goes to ${minorText(to)}: ${groupWords[stage]}`;
  }
  if (stage === null && former?.stage !== undefined && upgrade.refusal === null) {
    return `Kubernetes is ${minorText(to)} on all nodes`;
  }
  return undefined;
}
