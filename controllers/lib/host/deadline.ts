import type { Clock } from '../core/clock.ts';

/** A signal that aborts with `outer`'s reason or, after `ms`, with what `late` makes. Dispose it to stop the timer. */
export function withDeadline(
  clock: Clock,
  ms: number,
  outer: AbortSignal,
  late: () => Error,
): { readonly signal: AbortSignal } & Disposable {
  const controller = new AbortController();
  const onAbort = (): void => controller.abort(outer.reason);
  const cancel = clock.after(ms, () => controller.abort(late()));
  outer.addEventListener('abort', onAbort, { once: true });
  if (outer.aborted) onAbort();
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      cancel();
      outer.removeEventListener('abort', onAbort);
    },
  };
}

/**
 * A promise made of callbacks that the signal ends: `start` gets the way out and returns what undoes its work, which
 * runs when the signal aborts first. The promise then rejects with the signal's reason.
 */
export function abortable<T>(
  signal: AbortSignal,
  start: (resolve: (value: T) => void, reject: (error: unknown) => void) => () => void,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    let undo = (): void => {};
    const onAbort = (): void => {
      reject(signal.reason);
      undo();
    };
    signal.addEventListener('abort', onAbort, { once: true });
    const settled = (): void => signal.removeEventListener('abort', onAbort);
    undo = start(
      (value) => {
        settled();
        resolve(value);
      },
      (error) => {
        settled();
        reject(error);
      },
    );
  });
}

/** For a promise that others wait for as well: it goes on when one caller leaves. */
export const orAborted = <T>(promise: Promise<T>, signal: AbortSignal): Promise<T> =>
  abortable<T>(signal, (resolve, reject) => {
    promise.then(resolve, reject);
    return () => {};
  });

/** Rejects with the signal's reason. */
export const pause = (clock: Clock, ms: number, signal: AbortSignal): Promise<void> =>
  abortable<void>(signal, (resolve) => clock.after(ms, resolve));
