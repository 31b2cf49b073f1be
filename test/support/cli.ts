import { commands } from '../../cli/commands.ts';
import { runCli } from '../../cli/run.ts';

export type CliResult = { code: number; out: string; err: string };

/** Runs a command line inside of this process, without colours, and keeps what it printed. */
export async function runFirnCli(
  words: readonly string[],
  options: { program?: string; environment?: NodeJS.ProcessEnv; signal?: AbortSignal } = {},
): Promise<CliResult> {
  const printed = { out: '', err: '' };
  const code = await runCli(words, {
    program: options.program ?? 'firn',
    version: '1.2.3',
    commands,
    environment: options.environment ?? {},
    signal: options.signal ?? new AbortController().signal,
    terminal: {
      out: (line) => {
        printed.out += `${line}\n`;
      },
      err: (line) => {
        printed.err += `${line}\n`;
      },
      style: (_style, text) => text,
    },
  });
  return { code, ...printed };
}
