import { ReconcileError, type Verdict } from './outcome.ts';

/**
 * Does one after the other, whatever becomes of those before. Throws the gravest failure at the end: Ready speaks of one. It
 * is looked at again as soon as the most impatient of them asks for.
 */
export async function settleAll(work: readonly (() => unknown)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const one of work) {
    try {
      await one();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw soonest(failures.sort((a, b) => rank(a) - rank(b)));
}

function soonest(failures: readonly unknown[]): unknown {
  const [gravest] = failures;
  const asked = failures.flatMap((error) => (error instanceof ReconcileError ? (error.recheckMs ?? []) : []));
  const recheckMs = Math.min(...asked);
  // Who backs off comes back soon by himself.
  const isPatient = gravest instanceof ReconcileError && gravest.verdict !== 'transient';
  if (!isPatient || recheckMs >= (gravest.recheckMs ?? Number.POSITIVE_INFINITY)) return gravest;
  const { verdict, reason, message, cause } = gravest;
  return new ReconcileError(verdict, reason, message, { cause, recheckMs });
}

/** A bug before what waits for a change, and that before what passes by itself. */
const rank = (error: unknown): number =>
  error instanceof ReconcileError ? gravity.indexOf(error.verdict) : -1;
const gravity: readonly Verdict[] = ['terminal', 'transient', 'waiting', 'progressing'];
