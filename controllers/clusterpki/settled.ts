/** Several things of which none waits for the others. */
import { gravest } from '../lib/core/outcome.ts';

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
  if (failures.length > 0) throw gravest(failures);
}
