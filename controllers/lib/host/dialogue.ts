import type { FailCode } from './bootstrap.ts';
import { failCodes, frames, payloadPrompt } from './bootstrap.ts';

/** What the other side wants to be sent next. */
export type Wanted = 'script' | 'program' | 'payload';

/** How a dialogue ended: the program's standard output, or why it did not come to that. */
export type Outcome =
  | { kind: 'reply'; output: string; exitStatus: number }
  | { kind: 'fail'; code: FailCode; message: string }
  | { kind: 'flooded' };

/** Something to do: send, or end. */
export type Step = { wanted: Wanted } | { outcome: Outcome };

/** Where a dialogue is, for the message of a call that does not get further. */
export type Stage = 'shell' | 'root' | 'program' | 'running' | 'payload';

const chatterCharacters = 1024;

/**
 * Reads the other side's standard output (`bootstrap.ts` says what it looks like): bytes in, steps out, no effects. Until
 * the program runs, all but frames is chatter and ignored; then all but frames is the program's. More than `maxBytes`
 * in all is `flooded`.
 */
export class Dialogue {
  /** How far it is. */
  stage: Stage = 'shell';
  readonly #frame: string;
  readonly #maxBytes: number;
  readonly #lines = new LineSplitter();
  #chatter = '';
  #received = 0;
  #failing: { code: FailCode; lines: string[] } | null = null;
  #output: string[] | null = null;
  #ended = false;

  constructor(nonce: string, maxBytes: number) {
    this.#frame = `FIRN-${nonce} `;
    this.#maxBytes = maxBytes;
  }

  /** The first of what came before the program ran: what a login shell says when it is no shell. */
  get chatter(): string {
    return `${this.#chatter}${this.#output === null ? this.#lines.rest : ''}`.slice(0, chatterCharacters);
  }

  /** Standard output as it comes, in any pieces; returns what to do about it, in order. */
  feed(chunk: Uint8Array): Step[] {
    const steps: Step[] = [];
    if (this.#ended) return steps;
    this.#received += chunk.length;
    for (const line of this.#lines.feed(chunk)) {
      const step = line.startsWith(this.#frame)
        ? this.#onFrame(line.split(' ').slice(1))
        : this.#onLine(line);
      if (step !== null) steps.push(step);
      if (this.#ended) return steps;
    }
    if (this.#received > this.#maxBytes) {
      this.#ended = true;
      steps.push({ outcome: { kind: 'flooded' } });
    }
    return steps;
  }

  #onFrame([word, argument]: readonly string[]): Step | null {
    const running = this.#output !== null;
    if (word === frames.end) {
      this.#ended = true;
      return { outcome: outcomeOf(this.#failing, this.#output, argument) };
    }
    if (word === frames.fail) {
      this.#failing = { code: failCodes.find((code) => code === argument) ?? 'store', lines: [] };
    } else if (word === frames.root && this.stage === 'shell') {
      return this.#want('root', 'script');
    } else if (word === frames.need && !running) {
      return this.#want('program', 'program');
    } else if (word === frames.run && !running) {
      this.stage = 'running';
      this.#output = [];
    }
    return null;
  }

  #onLine(line: string): Step | null {
    if (this.#failing !== null) this.#failing.lines.push(line);
    else if (this.#output === null) this.#chatter = `${this.#chatter}${line}\n`.slice(0, chatterCharacters);
    else if (line === payloadPrompt && this.stage === 'running') return this.#want('payload', 'payload');
    else this.#output.push(line);
    return null;
  }

  #want(stage: Stage, wanted: Wanted): Step {
    this.stage = stage;
    return { wanted };
  }
}

function outcomeOf(
  failing: { code: FailCode; lines: string[] } | null,
  output: string[] | null,
  status: string | undefined,
): Outcome {
  if (failing !== null) return { kind: 'fail', code: failing.code, message: failing.lines.join('\n').trim() };
  return { kind: 'reply', output: (output ?? []).join('\n'), exitStatus: Number(status ?? 'NaN') };
}

/** Pieces of bytes to whole lines. */
class LineSplitter {
  #rest: Buffer[] = [];

  feed(chunk: Uint8Array): string[] {
    const lines: string[] = [];
    let from = 0;
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, from)) {
      lines.push(Buffer.concat([...this.#rest, chunk.subarray(from, at)]).toString('utf8'));
      this.#rest = [];
      from = at + 1;
    }
    if (from < chunk.length) this.#rest.push(Buffer.from(chunk.subarray(from)));
    return lines;
  }

  /** What came after the last newline. */
  get rest(): string {
    return Buffer.concat(this.#rest).toString('utf8');
  }
}
