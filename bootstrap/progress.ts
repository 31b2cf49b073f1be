/** Tells people what takes long. */
export type Progress = {
  note(line: string): void;
  start(what: string, typicalSeconds: number): { update(detail: string): void; end(): void };
};

/** On a terminal one line that is written anew each second; elsewhere a line at the start and every half minute. */
export function terminalProgress(stream: NodeJS.WriteStream): Progress {
  return {
    note: (line) => void stream.write(`firn: ${line}\n`),
    start(what, typicalSeconds) {
      const began = Date.now();
      let steps = 0;
      let detail = '';
      const show = (): void => {
        const elapsed = Math.round((Date.now() - began) / 1000);
        const text = `firn: ${what}: ${elapsed} s (a first build takes about ${typicalSeconds} s), ${steps} packages ${detail}`;
        stream.write(
          stream.isTTY ? `\r\x1b[2K${text.slice(0, (stream.columns ?? 80) - 1)}` : `${text.trimEnd()}\n`,
        );
      };
      stream.write(`firn: ${what}, once; a first build takes about ${typicalSeconds} s\n`);
      const timer = setInterval(show, stream.isTTY ? 1000 : 30_000);
      return {
        update(next) {
          steps += 1;
          detail = next;
        },
        end() {
          clearInterval(timer);
          const elapsed = Math.round((Date.now() - began) / 1000);
          stream.write(`${stream.isTTY ? '\r\x1b[2K' : ''}firn: ${what}: done in ${elapsed} s\n`);
        },
      };
    },
  };
}

/** For tests and scripts that want nothing said. */
export const silentProgress: Progress = {
  note: () => {},
  start: () => ({ update: () => {}, end: () => {} }),
};
