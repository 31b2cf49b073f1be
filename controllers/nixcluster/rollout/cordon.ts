/** A Node that is closed to new pods for a change, and what tells it from one that a person closed. Pure. */
import { z } from 'zod';

/** On every Node that is closed by us: finds them all, whatever else was lost. */
export const closedLabel = 'firn.dev/draining';
/** When it was closed; whoever operates the cluster next goes on from there. */
const sinceAnnotation = 'firn.dev/drain-started';
/** It was closed before: a person did that, and has yet to open it. */
const keepAnnotation = 'firn.dev/keep-cordoned';

const schema = z.object({
  metadata: z.object({
    name: z.string().max(253),
    resourceVersion: z.string().max(64),
    labels: z.record(z.string(), z.string()).default({}),
    annotations: z.record(z.string(), z.string()).default({}),
  }),
  spec: z
    .object({
      unschedulable: z.boolean().default(false),
      taints: z.array(z.object({ key: z.string() })).default([]),
    })
    .prefault({}),
});
export type CordonedNode = z.output<typeof schema>;

/** Throws where it is not as Kubernetes has it. */
export const readNode = (raw: unknown): CordonedNode => schema.parse(raw);

export const isClosed = ({ metadata }: CordonedNode): boolean => Object.hasOwn(metadata.labels, closedLabel);

/** In milliseconds; undefined where it is not closed by us. */
export function closedSince({ metadata }: CordonedNode): number | undefined {
  const at = Date.parse(metadata.annotations[sinceAnnotation] ?? '');
  return Number.isNaN(at) ? undefined : at;
}

/**
 * Whether the controller manager has seen that it is closed: it says so by a taint (kubernetes.io, "Taint Nodes by Condition").
 * Then there is one at work, which replaces pods and takes them out of Services.
 */
export const isNoticed = ({ spec }: CordonedNode): boolean =>
  spec.taints.some(({ key }) => key === 'node.kubernetes.io/unschedulable');

/** As a merge patch of exactly this version; null where it is closed already. `at` is the time as annotations write it. */
export function closing(node: CordonedNode, at: string): object | null {
  const { metadata, spec } = node;
  if (isClosed(node) && closedSince(node) !== undefined && spec.unschedulable) return null;
  const keep = !isClosed(node) && spec.unschedulable ? { [keepAnnotation]: 'true' } : {};
  const since = closedSince(node) === undefined ? { [sinceAnnotation]: at } : {};
  return patch(metadata.resourceVersion, { [closedLabel]: '' }, { ...since, ...keep }, true);
}

/** Null where it is not closed by us. */
export function opening(node: CordonedNode): object | null {
  if (!isClosed(node)) return null;
  const { metadata, spec } = node;
  const stays = metadata.annotations[keepAnnotation] === 'true' && spec.unschedulable;
  const nothing = { [sinceAnnotation]: null, [keepAnnotation]: null };
  return patch(metadata.resourceVersion, { [closedLabel]: null }, nothing, stays);
}

const patch = (resourceVersion: string, labels: object, annotations: object, unschedulable: boolean) => ({
  metadata: { resourceVersion, labels, annotations },
  spec: { unschedulable: unschedulable || null },
});
