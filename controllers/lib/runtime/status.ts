import { clip } from '../core/clip.ts';
import type { Settled } from '../core/outcome.ts';
import { timestamp } from '../core/timestamp.ts';

/** apimachinery `metav1.Condition`. */
export type Condition = {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  observedGeneration: number;
  lastTransitionTime: string;
  reason: string;
  message: string;
};

export type Status = Record<string, unknown> & {
  conditions?: Condition[];
  observedGeneration?: number;
  summary?: string;
};

/** What a condition is to say now. */
export type Verdict = Pick<Condition, 'status' | 'reason' | 'message'>;

export type StatusInput = {
  /** As last written. */
  previous: Status;
  /** The controller's own conditions, in order. */
  declared: readonly string[];
  /** Those whose step was reached. */
  stepped: ReadonlyMap<string, Verdict>;
  /** Those that are not about this object. */
  omitted: ReadonlySet<string>;
  settled: Pick<Settled, 'ready' | 'reason' | 'message' | 'stalled'>;
  reported: Readonly<Record<string, unknown>>;
  /** For the STATUS column; undefined: the reason of Ready. */
  word: string | undefined;
  /** Of the object that was looked at, which need not be the latest. */
  generation: number;
  now: number;
};

/** Bytes. etcd holds 1.5 MiB an object and people read a screen; apimachinery allows 32 Ki characters. */
const maxMessage = 8192;
const pending: Verdict = { status: 'Unknown', reason: 'Pending', message: '' };

/**
 * The status to be. Server-side apply takes away what is not said again, so everything is said again; and
 * the same input gives an equal status, so that one that is equal to the previous need not be written.
 */
export function composeStatus(input: StatusInput): Status {
  const former = new Map(input.previous.conditions?.map((condition) => [condition.type, condition]));
  const { ready, reason, message, stalled } = input.settled;
  const said = { reason, message: clip(message, maxMessage) };
  const now = timestamp(input.now);
  const judge = (type: string, verdict: Verdict) =>
    judged(type, verdict, former.get(type), input.generation, now);

  const conditions = [
    judge('Ready', { status: truth(ready), ...said }),
    ...input.declared.flatMap((type) => {
      if (input.omitted.has(type)) return [];
      const stepped = input.stepped.get(type);
      if (stepped) return judge(type, { ...stepped, message: clip(stepped.message, maxMessage) });
      // Not reached: what was last seen is still the best that is known, and its generation says how old it is.
      return former.get(type) ?? judge(type, pending);
    }),
    judge('Reconciling', ready || stalled ? no(ready, said.reason) : { status: 'True', ...said }),
    judge('Stalled', stalled ? { status: 'True', ...said } : no(true, 'NotStalled')),
  ];
  const fields = { ...input.previous, ...plain(input.reported) };
  for (const [field, value] of Object.entries(input.reported)) if (value === undefined) delete fields[field];
  return { ...fields, observedGeneration: input.generation, summary: input.word ?? reason, conditions };
}

/** Both are abnormal when True, as kstatus has it; `Reconciling` is False of an object that stalled, too. */
const no = (normal: boolean, reason: string): Verdict => ({
  status: 'False',
  reason: normal ? reason : 'Stalled',
  message: '',
});

const truth = (value: boolean) => (value ? 'True' : 'False');

function judged(
  type: string,
  verdict: Verdict,
  former: Condition | undefined,
  observedGeneration: number,
  now: string,
): Condition {
  const lastTransitionTime = former?.status === verdict.status ? former.lastTransitionTime : now;
  return { type, ...verdict, observedGeneration, lastTransitionTime };
}

/** As the server will give it back: without undefined members, and a sealed value as the word it prints. */
const plain = (value: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  JSON.parse(JSON.stringify(value));
