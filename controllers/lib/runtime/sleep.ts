import type { Clock } from '../core/clock.ts';

/** Resolves after `ms`, or at once when `signal` aborts: who waits looks at the signal next. */
export function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const finish = () => {
      cancel();
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const cancel = clock.after(ms, finish);
    signal.addEventListener('abort', finish, { once: true });
  });
}

/** Resolves when `signal` aborts. */
export const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

/** A signal that aborts with `parent` or after `ms`; `release` when the work is done, or the timer stays. */
export function deadline(
  clock: Clock,
  ms: number,
  parent: AbortSignal,
): { signal: AbortSignal; release: () => void } {
  const controller = new AbortController();
  const abort = () => controller.abort();
  if (parent.aborted) abort();
  parent.addEventListener('abort', abort, { once: true });
  const cancel = clock.after(ms, abort);
  const release = () => {
    cancel();
    parent.removeEventListener('abort', abort);
  };
  return { signal: controller.signal, release };
}
