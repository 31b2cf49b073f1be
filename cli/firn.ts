import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { commands } from './commands.ts';
import { runCli } from './run.ts';
import { terminalOf } from './terminal.ts';

const manifest = join(import.meta.dirname, '../package.json');
const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };

// `firn status | head` is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

/** npm passes on the Ctrl-C that the terminal has sent us already: that is one, not two. */
const secondThoughtMs = 1000;
const interrupt = new AbortController();
let interruptedAt = 0;
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    // Who asks again does not want to wait for a clean end.
    if (interrupt.signal.aborted && Date.now() - interruptedAt > secondThoughtMs) process.exit(130);
    if (interrupt.signal.aborted) return;
    interruptedAt = Date.now();
    interrupt.abort(new Error(name));
  });
}

process.exitCode = await runCli(process.argv.slice(2), {
  // firn.sh says by what name it was called.
  program: process.env.FIRN_PROGRAM === 'kubectl-firn' ? 'kubectl firn' : 'firn',
  version,
  commands,
  terminal: terminalOf(process.stdout, process.stderr),
  environment: process.env,
  signal: interrupt.signal,
});
