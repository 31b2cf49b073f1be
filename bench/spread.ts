/** Of a series of times, in milliseconds. */
export type Spread = { samples: number; p50Ms: number; p90Ms: number; p99Ms: number; maxMs: number };

/** By nearest rank: each number is a time that was measured. */
export function spreadOf(times: readonly number[]): Spread {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (part: number) => sorted[Math.ceil(part * sorted.length) - 1] ?? Number.NaN;
  return { samples: sorted.length, p50Ms: at(0.5), p90Ms: at(0.9), p99Ms: at(0.99), maxMs: at(1) };
}
