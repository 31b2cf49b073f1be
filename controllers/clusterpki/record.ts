/**
 * How far a rotation is. It is kept in the Secret that it is about, beside what it changes, so that both change in one
 * write and outlive every object; the status only repeats it.
 */
import type { ClusterPKIStatus } from '../../crds/index.ts';

export type Stage = NonNullable<ClusterPKIStatus['rotation']>[number]['stage'];

export type RotationRecord = {
  /** The value of `spec.rotate` that was acted upon last; null: none yet. */
  request: string | null;
  /** `Idle`: nothing is being replaced. */
  stage: Stage | 'Idle';
  /** When the stage began (RFC 3339). */
  startedAt: string;
  /** When all hosts had what the stage is about, where that matters. */
  settledAt?: string;
};

/** The key of a Secret's data that has the record, as JSON. */
export const recordKey = 'rotation';

export const printRecord = ({ request, stage, startedAt, settledAt }: RotationRecord): string =>
  `${JSON.stringify({ request, stage, startedAt, settledAt })}\n`;

/** Null where there is no record that can be read: then what is asked for is taken as done, and nothing starts. */
export function parseRecord(text: string | undefined, stages: readonly Stage[]): RotationRecord | null {
  try {
    const { request, stage, startedAt, settledAt } = JSON.parse(text ?? '') as Record<string, unknown>;
    const known = stage === 'Idle' || stages.some((name) => name === stage);
    if (!known || typeof startedAt !== 'string' || !(request === null || typeof request === 'string'))
      return null;
    const settled = typeof settledAt === 'string' ? { settledAt } : {};
    return { request, stage: stage as RotationRecord['stage'], startedAt, ...settled };
  } catch {
    return null;
  }
}

export const idleRecord = (request: string | undefined, now: string): RotationRecord => ({
  request: request ?? null,
  stage: 'Idle',
  startedAt: now,
});
