import { spawnSync } from 'node:child_process';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assemble, programParts, readPart } from '../../../controllers/lib/host/program.ts';

/** The words that a shell is started with. */
export type Shell = readonly string[];

/** What /bin/sh is on one host or another; `sh` is there for sure. */
export const shells: readonly { name: string; shell: Shell }[] = [
  ['sh'],
  ['dash'],
  ['bash'],
  ['busybox', 'ash'],
]
  .filter(([name, ...rest]) => spawnSync(name!, [...rest, '-c', ':'], { stdio: 'ignore' }).status === 0)
  .map((shell) => ({ name: shell.at(-1)!, shell }));

const libraries = assemble(programParts.filter((part) => part !== 'firn-host').map(readPart));

/** Runs a snippet in a folder after all of the host program's definitions, the request on descriptor 3; returns what it replies. */
export function runSnippet(folder: string, shell: Shell, snippet: string, request = ''): string {
  const [program, requestFile] = [join(folder, 'program'), join(folder, 'request')];
  writeFileSync(program, `${libraries}\n${snippet}\n`);
  writeFileSync(requestFile, request);
  const descriptor = openSync(requestFile, 'r');
  try {
    const { stdout } = spawnSync(shell[0]!, [...shell.slice(1), program], {
      stdio: ['ignore', 'pipe', 'ignore', descriptor],
      encoding: 'utf8',
      cwd: folder,
      timeout: 10_000,
    });
    return stdout;
  } finally {
    closeSync(descriptor);
  }
}
