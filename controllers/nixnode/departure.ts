/** Whether a NixNode that is being deleted waits for its cluster to let the node go. Pure. */
import { type NixCluster, type NixNode, parseDuration } from '../../crds/index.ts';

/** A person's word that what the node takes with it is not needed, or not there any more. */
const leaveAnnotation = 'firn.dev/leave';
/** What is left to do when the time is over (etcd, the Node object) takes seconds where it can be done at all. */
const graceMs = 60_000;

/** Why it waits; undefined: the host is next. Nobody waits for a cluster that is not there, or is going itself. */
export function waitsForDeparture(
  { metadata, spec }: NixNode,
  cluster: NixCluster | undefined,
  nowMs: number,
): string | undefined {
  if (!cluster || cluster.metadata.deletionTimestamp !== undefined) return undefined;
  if (metadata.annotations?.[leaveAnnotation] === 'now') return undefined;
  const place = cluster.status?.nodes?.find(({ uid }) => uid === metadata.uid);
  if (!place || place.departure?.stage === 'Done') return undefined;
  const { stage, message, guarded } = place.departure ?? {};
  const deadline = Date.parse(metadata.deletionTimestamp ?? '') + parseDuration(spec.deletionTimeout);
  if (!guarded && nowMs >= deadline + graceMs) return undefined;
  const what = stage === undefined ? 'has yet to let it go' : (message ?? stageSays[stage]);
  return `the node leaves cluster ${cluster.metadata.name} first: ${what}`;
}

const stageSays = {
  Draining: 'its pods are evicted',
  LeavingEtcd: 'its member of etcd is removed',
  NodeDeleted: 'its Node is deleted',
  Done: 'it has left',
} as const;
