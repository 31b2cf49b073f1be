/** The token that keeps two operators from acting on one host (protocol.md, "Fencing"). */

/**
 * The number for the first visit of a new leader: one more than what it or the host has seen. Later visits of the same
 * leader keep the number they have: a leader that finds itself fenced has been replaced and must not overtake.
 */
export function nextFence(recorded: number | undefined, onHost: number | undefined): number {
  return Math.max(recorded ?? 0, onHost ?? 0) + 1;
}

/** Numbers that this leader has taken, by the UID of the NixNode. */
export type Fences = Map<string, number>;
