/** The token that keeps two operators from acting on one host (protocol.md, "Fencing"). */

/** The identity of this operator in its bootstrap cluster; it outlives restarts, replicas share it. */
export type Installation = { id: string };

/**
 * The number for the first visit of a new leader: one more than what it or the host has seen. Later visits of the same
 * leader keep the number they have: a leader that finds itself fenced has been replaced and must not overtake.
 */
export function nextFence(recorded: number | undefined, onHost: number | undefined): number {
  return Math.max(recorded ?? 0, onHost ?? 0) + 1;
}
