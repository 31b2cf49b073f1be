/**
 * What an error means for a reconcile: `progressing`, all is well and under way; `waiting` for something that somebody
 * else has to do, and that a watch or the recheck will show; `terminal` until an input changes; or `transient` and worth
 * a retry with backoff.
 */
export type Verdict = 'progressing' | 'waiting' | 'terminal' | 'transient';

/** The only error a controller throws on purpose. `message` reaches status: never put a secret in it. */
export class ReconcileError extends Error {
  override readonly name = 'ReconcileError';
  readonly verdict: Verdict;
  /** CamelCase and stable: it is API. */
  readonly reason: string;
  /** When to look again, in milliseconds; absent: what the verdict implies. */
  readonly recheckMs: number | undefined;

  constructor(
    verdict: Verdict,
    reason: string,
    message: string,
    options: { cause?: unknown; recheckMs?: number } = {},
  ) {
    super(message, { cause: options.cause });
    this.verdict = verdict;
    this.reason = reason;
    this.recheckMs = options.recheckMs;
  }
}

/** What one reconcile means for the summary condition and for the queue. `requeueMs: null` waits for a change. */
export type Settled = {
  ready: boolean;
  reason: string;
  message: string;
  stalled: boolean;
  requeueMs: number | null;
};

/** The watch wakes who waits; this is the net below it. */
const waitingRecheckMs = 300_000;

/** `attempt` counts failures of this key in a row, from 0; `jitter` is in [0, 1). */
export function settle(
  result: { recheckMs: number } | { error: unknown },
  attempt: number,
  jitter: number,
): Settled {
  if (!('error' in result)) {
    return {
      ready: true,
      reason: 'Reconciled',
      message: '',
      stalled: false,
      requeueMs: spread(result.recheckMs, jitter),
    };
  }
  const { error } = result;
  if (!(error instanceof ReconcileError)) {
    // A bug or an unmapped failure: retry, but publish no foreign text.
    return {
      ready: false,
      reason: 'InternalError',
      message: 'an unexpected error; the operator log has it under this reconcile',
      stalled: false,
      requeueMs: backoff(attempt, jitter),
    };
  }
  const said = { ready: false, reason: error.reason, message: error.message };
  switch (error.verdict) {
    case 'terminal':
      return {
        ...said,
        stalled: true,
        requeueMs: error.recheckMs === undefined ? null : spread(error.recheckMs, jitter),
      };
    case 'progressing':
    case 'waiting':
      return { ...said, stalled: false, requeueMs: spread(error.recheckMs ?? waitingRecheckMs, jitter) };
    case 'transient':
      return { ...said, stalled: false, requeueMs: error.recheckMs ?? backoff(attempt, jitter) };
  }
}

const spread = (ms: number, jitter: number): number => ms * (0.9 + 0.2 * jitter);

/** Doubles from one second to five minutes; the lower half is fixed so that a retry is never immediate. */
export const backoff = (attempt: number, jitter: number): number =>
  Math.min(1000 * 2 ** attempt, 300_000) * (0.5 + 0.5 * jitter);
