import { abortable } from './deadline.ts';

/** Lets at most `width` in at once; who comes later waits in line. */
export type Gate = {
  /** Resolves to the function that leaves; calling it twice is harmless. Rejects with the signal's reason. */
  enter(signal: AbortSignal): Promise<() => void>;
};

export function createGate(width: number): Gate {
  let inside = 0;
  const line = new Set<() => void>();

  const leave = (): void => {
    const [next] = line;
    if (next === undefined) {
      inside -= 1;
      return;
    }
    line.delete(next);
    next();
  };
  const ticket = (): (() => void) => {
    let left = false;
    return () => {
      if (!left) leave();
      left = true;
    };
  };

  return {
    async enter(signal) {
      signal.throwIfAborted();
      if (inside < width) {
        inside += 1;
        return ticket();
      }
      return abortable<() => void>(signal, (resolve) => {
        const turn = (): void => resolve(ticket());
        line.add(turn);
        return () => line.delete(turn);
      });
    },
  };
}
