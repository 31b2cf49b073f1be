/** Looks on at a scripted host and writes down what must never happen, whatever operators, networks and power do. */
export type Witness = {
  /** Sentences; empty as long as all is well. */
  readonly violations: readonly string[];
  /** Something begins to change what runs, and has the host to itself until it has ended. */
  began(what: string): void;
  ended(what: string): void;
  /** A call that changes something was let in. */
  admitted(call: { installation: string; fence: number }): void;
  /** A release waits for its confirmation; only that one may be confirmed. */
  awaiting(trial: string): void;
  confirmed(trial: string): void;
  /** The host belongs to nobody: tokens begin anew. */
  disowned(): void;
  /** Whatever was going on has ended with the power. */
  wentDown(): void;
};

export function createWitness(): Witness {
  const violations: string[] = [];
  const underWay = new Set<string>();
  let newest: { installation: string; fence: number } | null = null;
  let awaited: string | null = null;
  return {
    violations,
    began(what) {
      for (const other of underWay) violations.push(`${what} began during ${other}`);
      underWay.add(what);
      awaited = null;
    },
    ended: (what) => void underWay.delete(what),
    admitted({ installation, fence }) {
      const highest = newest?.installation === installation ? newest.fence : fence;
      if (fence < highest) violations.push(`an operator with ${fence} was let in after one with ${highest}`);
      newest = { installation, fence: Math.max(fence, highest) };
    },
    awaiting(trial) {
      awaited = trial;
    },
    confirmed(trial) {
      if (awaited !== trial) violations.push(`${trial} was confirmed, and did not wait for it`);
      awaited = null;
    },
    disowned() {
      newest = null;
    },
    wentDown: () => underWay.clear(),
  };
}
