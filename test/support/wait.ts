import { setTimeout as sleep } from 'node:timers/promises';

/** Asks until the answer is not `undefined` or false. Throws, with what was waited for, after `withinMs`. */
export async function waitFor<T>(
  what: string,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  options: { withinMs?: number; everyMs?: number; otherwise?: () => unknown } = {},
): Promise<T> {
  const { withinMs = 30_000, everyMs = 100 } = options;
  const end = Date.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > end) {
      const last = options.otherwise ? `; last seen: ${JSON.stringify(options.otherwise(), null, 1)}` : '';
      throw new Error(`waited ${withinMs} ms for ${what}${last}`);
    }
    await sleep(everyMs);
  }
}
