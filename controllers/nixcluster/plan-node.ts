/** What a member's Node should carry, and how it is. Pure. */
import { isDeepStrictEqual } from 'node:util';
import type { ClusterNode, NixCluster, NixNode } from '../../crds/index.ts';
import { clip } from '../lib/core/clip.ts';
import { readyOf, type Taint, type TargetNode } from './target-node.ts';

export type NodeState = NonNullable<ClusterNode['node']>;

/** Changes of fields that others change too, so of exactly this version. */
export type NodePatch = {
  resourceVersion: string;
  spec: { taints?: readonly Taint[]; podCIDR?: string; podCIDRs?: readonly string[] };
};

export type NodePlan = {
  name: string;
  /** Null where there is no Node. */
  state: NodeState | null;
  /** Of an object that is there: all labels that it is to have from us. */
  labels: Readonly<Record<string, string>> | null;
  patch: NodePatch | null;
};

/** How a Node was found: absent, or not readable, or as it is. */
export type Found = undefined | { ok: false; message: string } | { ok: true; object: TargetNode };

export const runsKubelet = ({ spec }: Pick<NixNode, 'spec'>): boolean =>
  spec.roles.includes('control-plane') || spec.roles.includes('worker');

/** `place` is what the cluster's status said of it before. */
export function planNode(
  cluster: NixCluster,
  member: NixNode,
  place: ClusterNode | undefined,
  found: Found,
): NodePlan {
  const { name } = member.metadata;
  const nothing = { name, labels: null, patch: null };
  if (found === undefined) return { ...nothing, state: null };
  if (!found.ok) {
    const message = `its Node cannot be read: ${found.message}`;
    const taints = place?.node?.taints;
    return { ...nothing, state: { ...unready('NodeInvalid', message), ...(taints && { taints }) } };
  }
  const { metadata, spec } = found.object;
  const wanted = taintsOf(cluster, member);
  const ours = new Set(place?.node?.taints ?? []);
  const taints = mergeTaints(spec.taints, wanted, ours);
  const changed: NodePatch['spec'] = {
    ...(!isDeepStrictEqual(taints, spec.taints) && { taints }),
    ...(spec.podCIDRs.length === 0 && subnetsOf(place)),
  };
  return {
    name,
    labels: labelsOf(member),
    patch: isDeepStrictEqual(changed, {})
      ? null
      : { resourceVersion: metadata.resourceVersion, spec: changed },
    state: {
      ...stateOf(found.object, place),
      ...rememberedOf(spec.taints, wanted, ours),
    },
  };
}

const unready = (reason: string, message: string): NodeState => ({ ready: false, reason, message });

/** A kubelet may not give itself roles (NodeRestriction), so they are ours to give. */
const labelsOf = ({ spec }: NixNode): Record<string, string> => ({
  ...spec.kubernetes.labels,
  ...Object.fromEntries(spec.roles.map((role) => [`node-role.kubernetes.io/${role}`, ''])),
});

type OwnTaint = NixNode['spec']['kubernetes']['taints'][number];

const controlPlaneTaint: OwnTaint = {
  key: 'node-role.kubernetes.io/control-plane',
  value: '',
  effect: 'NoSchedule',
};

/** What a Node is to have from its first moment on: its kubelet registers with them, too. */
export function taintsOf({ spec }: NixCluster, member: NixNode): OwnTaint[] {
  const { roles, kubernetes } = member.spec;
  const isTainted = roles.includes('control-plane') && (spec.controlPlane.taint ?? !roles.includes('worker'));
  return isTainted ? [controlPlaneTaint, ...kubernetes.taints] : [...kubernetes.taints];
}

/** Key and effect tell one taint of a Node from another. */
const idOf = ({ key, effect }: Taint): string => `${key}:${effect}`;

/** Those of others stay, in their order; ours that are not wanted any more go. */
function mergeTaints(
  present: readonly Taint[],
  wanted: readonly Taint[],
  ours: ReadonlySet<string>,
): Taint[] {
  const byId = new Map(wanted.map((taint) => [idOf(taint), taint]));
  const kept = present
    .filter((taint) => byId.has(idOf(taint)) || !ours.has(idOf(taint)))
    .map((taint) => {
      const same = byId.get(idOf(taint));
      return same && same.value !== taint.value ? same : taint;
    });
  const there = new Set(present.map(idOf));
  return [...kept, ...wanted.filter((taint) => !there.has(idOf(taint)))];
}

/** What is wanted is ours from now on; what was ours is until it is gone. */
function rememberedOf(
  present: readonly Taint[],
  wanted: readonly Taint[],
  ours: ReadonlySet<string>,
): Pick<NodeState, 'taints'> {
  const still = present.map(idOf).filter((id) => ours.has(id));
  const taints = [...new Set([...wanted.map(idOf), ...still])].sort();
  return taints.length > 0 ? { taints } : {};
}

/** Set once, by us alone: `--allocate-node-cidrs=false`. */
const subnetsOf = (place: ClusterNode | undefined) =>
  place?.podCIDRs[0] !== undefined && { podCIDR: place.podCIDRs[0], podCIDRs: place.podCIDRs };

function stateOf(node: TargetNode, place: ClusterNode | undefined): NodeState {
  const version = clip(node.status.nodeInfo?.kubeletVersion ?? '', 64);
  const known = version === '' ? {} : { version };
  const { podCIDRs } = node.spec;
  if (place && podCIDRs.length > 0 && !isDeepStrictEqual(podCIDRs, place.podCIDRs)) {
    const message = `its Node has the subnets ${several(podCIDRs)}, not ${several(place.podCIDRs)}, and they cannot be changed: delete the Node object, and its kubelet registers it anew`;
    return { ...unready('PodCIDRsDiffer', clip(message, maxMessage)), ...known };
  }
  const ready = readyOf(node);
  if (ready?.status === 'True') return { ready: true, reason: 'NodeReady', message: '', ...known };
  const reason = /^[A-Z][A-Za-z0-9]{0,63}$/.test(ready?.reason ?? '') ? ready!.reason : 'NodeNotReady';
  const said = (ready?.message ?? 'its kubelet has not said yet how it is').replaceAll(/\s+/g, ' ').trim();
  return { ...unready(reason, clip(said, maxMessage)), ...known };
}

const several = (cidrs: readonly string[]): string => cidrs.join(' and ');
const maxMessage = 1024;
