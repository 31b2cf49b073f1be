import type { Readable } from 'node:stream';

/** Standard input of a scripted shell. Each resolves to null when the input ends before. */
export type Inbox = {
  /** One compound command of many lines: up to a line that is `}`. */
  script(): Promise<string | null>;
  bytes(count: number): Promise<Buffer | null>;
  readonly ended: boolean;
};

const scriptEnd = '\n}\n';
const scriptLimit = 16 * 1024 * 1024;

export function createInbox(input: Readable): Inbox {
  let pieces: Buffer[] = [];
  let size = 0;
  let ended = false;
  let check = (): void => {};
  const take = (count: number): Buffer => {
    const whole = Buffer.concat(pieces);
    pieces = count < whole.length ? [whole.subarray(count)] : [];
    size = whole.length - count;
    return whole.subarray(0, count);
  };
  const end = (): void => {
    ended = true;
    check();
  };
  input.on('data', (chunk: Buffer) => {
    pieces.push(chunk);
    size += chunk.length;
    check();
  });
  input.on('end', end);
  input.on('close', end);

  /** Waits until `enough` says how many bytes are to be taken. */
  const when = (enough: () => number | null): Promise<Buffer | null> =>
    new Promise((resolve) => {
      check = () => {
        const count = enough();
        if (count === null && !ended) return;
        check = () => {};
        resolve(count === null ? null : take(count));
      };
      check();
    });

  return {
    async script() {
      const bytes = await when(() => {
        if (size > scriptLimit) return size;
        const at = Buffer.concat(pieces).indexOf(scriptEnd);
        return at === -1 ? null : at + scriptEnd.length;
      });
      return bytes === null ? null : bytes.toString('utf8');
    },
    bytes: (count) => when(() => (size >= count ? count : null)),
    get ended() {
      return ended;
    },
  };
}
