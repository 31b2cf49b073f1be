/** What a plan means for the conditions of the mesh. Each throws a `ReconcileError` with its own reason, or is content. */
import { ReconcileError } from '../lib/core/outcome.ts';
import { several } from '../lib/core/several.ts';
import type { MeshPlan } from './plan.ts';

/** Handshakes take seconds; what takes longer is told by the nodes, which wakes the mesh. */
const connectingMs = 60_000;

function conflicts({ conflicts: [conflict] }: MeshPlan): void {
  if (conflict !== undefined) throw new ReconcileError('terminal', conflict.reason, conflict.message);
}

function keys({ keyless }: MeshPlan): void {
  if (keyless.length === 0) return;
  const message = `no key yet from ${several(keyless)}: hosts make them with their first release in the mesh`;
  throw new ReconcileError('progressing', 'KeysMissing', message);
}

function pairs({ problems, isDown, isConnected, fields }: MeshPlan): void {
  if (problems.length > 0) throw new ReconcileError('waiting', 'MeshProblem', several(problems, '; '));
  const bad = several(
    (fields.down ?? []).map(({ a, b, lookAt }) => `${a} and ${b}: look at ${lookAt}`),
    '; ',
  );
  if (isDown) throw new ReconcileError('waiting', 'PairsDown', bad);
  if (isConnected) return;
  const message = bad || 'not every node has told of all of its peers yet';
  throw new ReconcileError('progressing', 'PairsConnecting', message, { recheckMs: connectingMs });
}

export const verdictOf = { conflicts, keys, pairs } as const;
