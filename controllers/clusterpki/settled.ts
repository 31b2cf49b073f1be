/** Several things of which none waits for the others. */
import { ReconcileError } from '../lib/core/outcome.ts';

/** Does one after the other, whatever becomes of those before. Throws the gravest failure at the end. */
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

/** A bug before what waits for a change, and that before what passes by itself: Ready speaks of one. */
const rank = (error: unknown): number =>
  error instanceof ReconcileError ? verdicts.indexOf(error.verdict) : -1;
const verdicts = ['terminal', 'transient', 'waiting', 'progressing'];
