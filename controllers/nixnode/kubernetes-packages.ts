/** Which version of each component a host gets, and from which nixpkgs. Pure. */
import {
  type ClusterNode,
  type ComponentGroup,
  type ComponentVersions,
  componentGroups,
  type KubernetesOfHost,
  minorNumber,
  type NixCluster,
} from '../../crds/index.ts';
import { ReconcileError } from '../lib/core/outcome.ts';
import type { PackageSource } from '../lib/nix/bundle.ts';
import { parseLocked } from '../lib/nix/flake-lock.ts';
import type { ReleaseRecord } from './manifest.ts';

/** A watch wakes the node sooner. */
const recheckMs = 60_000;

/** Options of `firn.kubernetes` by their packages' names, of each group. */
const packageOptions: Record<ComponentGroup, Record<string, string>> = {
  etcd: { 'kubernetes.etcd.package': 'etcd' },
  apiServer: { 'kubernetes.packages.apiServer': 'kubernetes' },
  controllers: {
    'kubernetes.packages.controllerManager': 'kubernetes',
    'kubernetes.packages.scheduler': 'kubernetes',
  },
  kubelet: { 'kubernetes.packages.kubelet': 'kubernetes', 'kubernetes.packages.kubeProxy': 'kubernetes' },
};

/** Below `firn.kubernetes`: what the packages are to be, so that others are refused before anything runs. */
export function versionValues({ kubernetes = {} }: ClusterNode): Record<string, string> {
  const { apiServer, controllers, kubelet } = kubernetes;
  return {
    ...(apiServer && { apiServer }),
    ...(controllers && { controllerManager: controllers, scheduler: controllers }),
    ...(kubelet && { kubelet, kubeProxy: kubelet }),
  };
}

/**
 * What the release is to say of its Kubernetes. Throws `progressing` while the cluster has not decided, or does not know
 * what this host runs: `runs` is the record of its release.
 */
export function kubernetesRecord(
  cluster: NixCluster,
  place: ClusterNode,
  runs: ReleaseRecord,
): KubernetesOfHost {
  const { kubernetes: versions } = place;
  const former = runs.cluster?.name === cluster.metadata.name ? runs.kubernetes?.versions : undefined;
  if (versions === undefined || isTooFar(former ?? {}, versions)) {
    const message = `NixCluster ${cluster.metadata.name} decides which Kubernetes the node is to have, by what runs on all of them`;
    throw new ReconcileError('progressing', 'WaitingForVersions', message, { recheckMs });
  }
  const known = cluster.status?.kubernetes?.sources ?? [];
  const needed = [...new Set(Object.values(versions))].sort();
  const sources = needed.map((version) => known.find((one) => one.version === version));
  const missing = needed.filter((_, at) => sources[at] === undefined);
  if (missing.length > 0) {
    const message = `NixCluster ${cluster.metadata.name} finds out which nixpkgs has Kubernetes ${missing.join(' and ')}`;
    throw new ReconcileError('progressing', 'WaitingForPin', message, { recheckMs });
  }
  return { versions, sources: sources.filter((source) => source !== undefined) };
}

/** One minor up at a time, and never back: what was decided before this host was heard may say something else. */
const isTooFar = (former: ComponentVersions, next: ComponentVersions): boolean =>
  componentGroups.some((group) => {
    const [from, to] = [former[group], next[group]];
    if (from === undefined || to === undefined) return false;
    const step = minorNumber(to) - minorNumber(from);
    return step < 0 || (step > 1 && group !== 'kubelet');
  });

/** Inputs of the bundle. What comes from the system's own nixpkgs needs none. */
export function packageSources(
  { versions, sources }: KubernetesOfHost,
  nixpkgs: { locked: unknown },
): PackageSource[] {
  const own = JSON.stringify(parseLocked(nixpkgs.locked));
  return sources.flatMap(({ version, url, locked: text }) => {
    const locked = parseLocked(JSON.parse(text));
    if (JSON.stringify(locked) === own) return [];
    const groups = componentGroups.filter((group) => versions[group] === version);
    const options = Object.assign({}, ...groups.map((group) => packageOptions[group]));
    // Named by the version, so that what is next today has the same name when it is all there is.
    return [{ name: `kubernetes-${version.replace('.', '-')}`, url, locked, options }];
  });
}
