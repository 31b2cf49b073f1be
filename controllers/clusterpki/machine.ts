/** Rotations as state machines: which stage follows which, and when. Pure; what a stage means is in `rotation.ts`. */
import type { RotationRecord, Stage } from './record.ts';

type At = Stage | 'Idle';

/** Whether a stage is over. `waitsFor` is read by users: who or what is waited for. `recheckMs`: where nothing tells. */
export type Gate = { open: true } | { open: false; waitsFor: string; recheckMs?: number };

export type Machine = {
  /** What follows a stage whose gate is open, or a request. */
  readonly forward: Readonly<Partial<Record<At, At>>>;
  /** Where a stage goes that is taken back; absent: it is too late. */
  readonly back: Readonly<Partial<Record<At, At>>>;
};

/**
 * Authorities and the key for tokens. Distribute: old and new are trusted, the old one signs. Reissue: both are trusted,
 * the new one signs. Retire: the new one alone. Abort: both are trusted, the old one signs again. So whoever is a stage
 * behind or ahead trusts what the others show, as long as no stage begins before all have the one before.
 */
export const trustMachine: Machine = {
  forward: { Idle: 'Distribute', Distribute: 'Reissue', Reissue: 'Retire', Retire: 'Idle', Abort: 'Idle' },
  back: { Distribute: 'Idle', Reissue: 'Abort' },
};

/**
 * The encryption key. Add: all can read with the new one, and write with the old one. Promote: all write with the new
 * one. Rewrite: what was written with the old one is written again. Remove: the old one is forgotten. Abort: all write
 * with the old one again, and what was written with the new one is written again.
 */
export const encryptionMachine: Machine = {
  forward: {
    Idle: 'Add',
    Add: 'Promote',
    Promote: 'Rewrite',
    Rewrite: 'Remove',
    Remove: 'Idle',
    Abort: 'Idle',
  },
  back: { Add: 'Idle', Promote: 'Abort', Rewrite: 'Abort' },
};

/** What `spec.rotate` says of this rotation. */
export type Asked = { request: string | undefined; abort: string | undefined };

export type Next =
  /** `request` is what is then recorded as acted upon. */
  { to: At; request: string | null } | { stays: true; waitsFor: string | null; recheckMs?: number };

/** `gate` is that of the stage of `record`; that of `Idle` is not asked. */
export function nextStage(machine: Machine, record: RotationRecord, asked: Asked, gate: Gate): Next {
  const { stage, request } = record;
  if (stage === 'Idle') return begin(machine, request, asked);
  const back = machine.back[stage];
  if (back !== undefined && request !== null && asked.abort === request) return { to: back, request };
  return gate.open ? { to: machine.forward[stage]!, request } : { stays: true, ...waiting(gate) };
}

const waiting = ({ waitsFor, recheckMs }: Exclude<Gate, { open: true }>) => ({
  waitsFor,
  ...(recheckMs !== undefined && { recheckMs }),
});

/** A request that is to be aborted as soon as it is made is only remembered. */
function begin(machine: Machine, former: string | null, { request, abort }: Asked): Next {
  if (request === undefined || request === former) return { stays: true, waitsFor: null };
  return { to: request === abort ? 'Idle' : machine.forward.Idle!, request };
}
