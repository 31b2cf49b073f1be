import { ReconcileError, type Verdict } from './outcome.ts';

/** Does one after the other, whatever becomes of those before. Throws the gravest failure at the end: Ready speaks of one. */
export async function settleAll(work: readonly (() => unknown)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const one of work) {
    try {
      await one();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures.sort((a, b) => rank(a) - rank(b))[0];
}

/** A bug before what waits for a change, and that before what passes by itself. */
const rank = (error: unknown): number =>
  error instanceof ReconcileError ? gravity.indexOf(error.verdict) : -1;
const gravity: readonly Verdict[] = ['terminal', 'transient', 'waiting', 'progressing'];
