/** Which pods leave a node before it changes, in which way, and why some stay. Pure. */
import { z } from 'zod';
import { clip } from '../../lib/core/clip.ts';
import { several } from '../../lib/core/several.ts';

const labels = z.record(z.string(), z.string()).default({});
const name = z.string().regex(/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/);

const podSchema = z.object({
  metadata: z.object({
    name,
    namespace: name,
    uid: z.string().max(64),
    labels,
    annotations: z.record(z.string(), z.string()).default({}),
    deletionTimestamp: z.string().optional(),
    ownerReferences: z
      .array(z.object({ kind: z.string(), controller: z.boolean().default(false) }))
      .default([]),
  }),
  status: z.object({ phase: z.string().default('') }).prefault({}),
});
export type Pod = z.output<typeof podSchema>;

const podList = z.object({ items: z.array(podSchema) });
/** Throws where they are not as Kubernetes has them. */
export const readPods = (raw: unknown): Pod[] => podList.parse(raw).items;

/** Those of DaemonSets would come back at once, mirror pods are the kubelet's own, and what has ended holds up nobody. */
export const mustLeave = ({ metadata, status }: Pod): boolean =>
  !Object.hasOwn(metadata.annotations, 'kubernetes.io/config.mirror') &&
  !metadata.ownerReferences.some(({ kind, controller }) => controller && kind === 'DaemonSet') &&
  !['Succeeded', 'Failed'].includes(status.phase);

export const isEnding = ({ metadata }: Pod): boolean => metadata.deletionTimestamp !== undefined;

/** Whether its own time to end is over, which its `deletionTimestamp` includes. */
export const isLate = ({ metadata }: Pod, now: number): boolean =>
  now > Date.parse(metadata.deletionTimestamp ?? '');

const podName = ({ metadata }: Pod): string => `${metadata.namespace}/${metadata.name}`;

// --- budgets ---

const budgetSchema = z.object({
  metadata: z.object({ name }),
  spec: z
    .object({
      selector: z
        .object({
          matchLabels: labels,
          matchExpressions: z
            .array(
              z.object({ key: z.string(), operator: z.string(), values: z.array(z.string()).default([]) }),
            )
            .default([]),
        })
        .optional(),
    })
    .prefault({}),
});
export type Budget = z.output<typeof budgetSchema>;

const budgetList = z.object({ items: z.array(budgetSchema) });
export const readBudgets = (raw: unknown): Budget[] => budgetList.parse(raw).items;

/** Names of the budgets, of those of its namespace, that a pod is under. */
export const budgetsOf = ({ metadata }: Pod, budgets: readonly Budget[]): string[] =>
  budgets.filter(({ spec }) => selects(spec.selector, metadata.labels)).map((budget) => budget.metadata.name);

function selects(selector: Budget['spec']['selector'], of: Readonly<Record<string, string>>): boolean {
  if (!selector) return false;
  const has = (key: string) => Object.hasOwn(of, key);
  return (
    Object.entries(selector.matchLabels).every(([key, value]) => has(key) && of[key] === value) &&
    selector.matchExpressions.every(({ key, operator, values }) => {
      if (operator === 'Exists') return has(key);
      if (operator === 'DoesNotExist') return !has(key);
      const isIn = has(key) && values.includes(of[key]!);
      return operator === 'In' ? isIn : !isIn;
    })
  );
}

// --- how it goes ---

export type DrainPolicy = { timeoutMs: number; budgets: 'Respect' | 'Ignore' };

export const isOverdue = (since: number, now: number, { timeoutMs }: DrainPolicy): boolean =>
  now - since >= timeoutMs;

/** Of a pod that is still there: `undefined`, it ends. */
export type Stays = { pod: Pod; because: string | undefined };

/** Less than the status holds, with what is said around it. Names are the cluster's own, and a pod may be under many budgets. */
const maxSaid = 3072;

/** In words, sorted, so that the same pods are the same text. */
export function leftSays(left: readonly Stays[]): string {
  const said = left.map(({ pod, because }) => `${podName(pod)} (${because ?? 'it ends'})`).sort();
  const count = left.length === 1 ? '1 pod is left' : `${left.length} pods are left`;
  return clip(`${count}: ${several(said)}`, maxSaid);
}
