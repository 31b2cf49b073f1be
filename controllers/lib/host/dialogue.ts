import type { FailCode } from './bootstrap.ts';
import { failCodes, frames, payloadPrompt } from './bootstrap.ts';

/** What the other side wants to be sent next. */
export type Wanted = 'script' | 'program' | 'payload';

/** How a dialogue ended: the program's standard output, or why it did not come to that. */
export type Outcome =
  | { kind: 'reply'; output: string; exitStatus: number }
  | { kind: 'fail'; code: FailCode; message: string }
  | { kind: 'flooded' };

export type Step = { wanted: Wanted } | { outcome: Outcome };

/** Where a dialogue is, for the message of a call that does not get further. */
export type Stage = 'shell' | 'root' | 'program' | 'running' | 'payload';

export type Dialogue = {
  /** Standard output as it comes, in any pieces; returns what to do about it, in order. */
  feed(chunk: Uint8Array): Step[];
  readonly stage: Stage;
  /** The first of what came before the first frame: what a login shell says when it is no shell. */
  readonly chatter: string;
};

const chatterBytes = 1024;

/**
 * Reads the other side's standard output (`bootstrap.ts` says what it looks like). Pure: bytes in, steps out. Until
 * the program runs, all but frames is chatter and ignored; then all but frames is the program's. More than `maxBytes`
 * in all is `flooded`.
 */
export function createDialogue(nonce: string, maxBytes: number): Dialogue {
  const split = lineSplitter();
  let stage: Stage = 'shell';
  let received = 0;
  let chatter = '';
  let failing: { code: FailCode; lines: string[] } | null = null;
  let output: string[] | null = null;
  let ended = false;

  const onFrame = (words: readonly string[]): Step | null => {
    const [word, argument] = words;
    if (word === frames.end) {
      ended = true;
      return { outcome: outcomeOf(failing, output, argument) };
    }
    if (word === frames.fail)
      failing = { code: failCodes.find((code) => code === argument) ?? 'store', lines: [] };
    if (word === frames.root && stage === 'shell') {
      stage = 'root';
      return { wanted: 'script' };
    }
    if (word === frames.need && output === null) {
      stage = 'program';
      return { wanted: 'program' };
    }
    if (word === frames.run && output === null) {
      stage = 'running';
      output = [];
    }
    return null;
  };

  const onLine = (line: string): Step | null => {
    if (line.startsWith(`FIRN-${nonce} `)) return onFrame(line.split(' ').slice(1));
    if (failing !== null) failing.lines.push(line);
    else if (output === null) chatter = `${chatter}${line}\n`.slice(0, chatterBytes);
    else if (line === payloadPrompt && stage === 'running') {
      stage = 'payload';
      return { wanted: 'payload' };
    } else output.push(line);
    return null;
  };

  return {
    feed(chunk) {
      const steps: Step[] = [];
      if (ended) return steps;
      received += chunk.length;
      for (const line of split(chunk)) {
        const step = onLine(line);
        if (step !== null) steps.push(step);
        if (ended) return steps;
      }
      if (received > maxBytes) {
        ended = true;
        steps.push({ outcome: { kind: 'flooded' } });
      }
      return steps;
    },
    get stage() {
      return stage;
    },
    get chatter() {
      return chatter;
    },
  };
}

function outcomeOf(
  failing: { code: FailCode; lines: string[] } | null,
  output: string[] | null,
  status: string | undefined,
): Outcome {
  if (failing !== null) return { kind: 'fail', code: failing.code, message: failing.lines.join('\n').trim() };
  return { kind: 'reply', output: (output ?? []).join('\n'), exitStatus: Number(status ?? 'NaN') };
}

/** Pieces of bytes to whole lines; the last line without its newline waits for more. */
function lineSplitter(): (chunk: Uint8Array) => string[] {
  let rest: Buffer[] = [];
  return (chunk) => {
    const lines: string[] = [];
    let from = 0;
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, from)) {
      lines.push(Buffer.concat([...rest, chunk.subarray(from, at)]).toString('utf8'));
      rest = [];
      from = at + 1;
    }
    if (from < chunk.length) rest.push(Buffer.from(chunk.subarray(from)));
    return lines;
  };
}
