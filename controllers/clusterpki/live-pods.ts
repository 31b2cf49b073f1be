/** Which pods of a running cluster still trust the former authority alone. Pure: objects of the cluster in, words out. */
import { several } from '../lib/core/several.ts';
import { splitPem } from '../lib/pki/pem.ts';
import type { Gate } from './machine.ts';

/** What is read of objects; they come from the cluster, and any of it may be missing. */
type Meta = {
  namespace?: string;
  name?: string;
  creationTimestamp?: string;
  managedFields?: { time?: string }[];
};
export type RootConfigMap = { metadata?: Meta; data?: Record<string, string> };
type Source = { configMap?: { name?: string }; serviceAccountToken?: { expirationSeconds?: number } };
type Container = { state?: { running?: { startedAt?: string } } };
export type Pod = {
  metadata?: Meta;
  spec?: { volumes?: { configMap?: { name?: string }; projected?: { sources?: Source[] } }[] };
  status?: { phase?: string; containerStatuses?: Container[]; initContainerStatuses?: Container[] };
};

/** The controller manager keeps it in every namespace: what pods trust, from their start on. */
export const rootConfigMap = 'kube-root-ca.crt';
/** A kubelet brings a volume up to date within its sync period of a minute, and what its cache adds. */
const volumeLagMs = 150_000;

export const nameOf = ({ metadata }: { metadata?: Meta }): string =>
  `${metadata?.namespace ?? ''}/${metadata?.name ?? ''}`;
export const timeOf = (text: string | undefined): number => Date.parse(text ?? '') || 0;
export const isOver = ({ status }: Pod): boolean =>
  status?.phase === 'Succeeded' || status?.phase === 'Failed';
const sourcesOf = ({ spec }: Pod): Source[] =>
  (spec?.volumes ?? []).flatMap((volume) => [
    ...(volume.configMap ? [{ configMap: volume.configMap }] : []),
    ...(volume.projected?.sources ?? []),
  ]);

/** Open when every namespace has exactly `trust`, and every pod that reads it was started since. */
export function podsGate(
  trust: readonly string[],
  configMaps: readonly RootConfigMap[],
  pods: readonly Pod[],
): Gate {
  const wanted = fingerprint(trust.join(''));
  const behind = configMaps.filter(({ data }) => fingerprint(data?.['ca.crt'] ?? '') !== wanted);
  if (behind.length > 0) {
    const names = several(behind.map(({ metadata }) => metadata?.namespace ?? '').sort());
    return shut(
      `the controller manager to give pods the new authority (ConfigMap ${rootConfigMap} of ${names})`,
    );
  }
  const since = new Map(configMaps.map((one) => [one.metadata?.namespace, writtenAt(one)]));
  const stale = pods.filter((pod) => isStale(pod, since.get(pod.metadata?.namespace)));
  if (stale.length === 0) return { open: true };
  const names = several(stale.map(nameOf).sort());
  return shut(
    `${stale.length} pods that were started before the new authority was trusted: ${names}; restart them, as kubectl rollout restart does`,
  );
}

/** Nothing tells that a pod was started. */
export const askedAgainMs = 15_000;
const shut = (waitsFor: string): Gate => ({ open: false, waitsFor, recheckMs: askedAgainMs });

/** The same set, in whichever order. */
const fingerprint = (pem: string): string =>
  splitPem(pem)
    .map((one) => one.trim())
    .sort()
    .join('\n');

const writtenAt = ({ metadata }: RootConfigMap): number =>
  Math.max(
    timeOf(metadata?.creationTimestamp),
    ...(metadata?.managedFields ?? []).map(({ time }) => timeOf(time)),
  );

/** A pod whose namespace has no such ConfigMap cannot have read it: it waits for its volume. */
function isStale(pod: Pod, since: number | undefined): boolean {
  const reads = sourcesOf(pod).some(({ configMap }) => configMap?.name === rootConfigMap);
  if (!reads || since === undefined || isOver(pod)) return false;
  if (timeOf(pod.metadata?.creationTimestamp) > since) return false;
  const containers = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])];
  const started = containers.flatMap(({ state }) =>
    state?.running ? [timeOf(state.running.startedAt)] : [],
  );
  return started.some((at) => at < since + volumeLagMs);
}

/** How long the tokens of a pod may be old: those that kubelets renew, and when they do. */
export const tokenLifetimes = (pod: Pod): number[] =>
  sourcesOf(pod).flatMap(({ serviceAccountToken }) =>
    serviceAccountToken ? [serviceAccountToken.expirationSeconds ?? 3600] : [],
  );
