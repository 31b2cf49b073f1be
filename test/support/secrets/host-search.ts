/** A booted host: its disk with /nix/store and /var/lib/firn, its journal, and what its units were started with. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execute } from '../hosts/command.ts';
import type { TestHost } from '../hosts/test-host.ts';
import { findIn, type Pattern } from './forms.ts';

/** `except`: paths from the host's root where a secret has to be, because the test put it there. */
export async function searchHost(
  patterns: readonly Pattern[],
  host: TestHost,
  except: readonly string[],
): Promise<string[]> {
  const allowed = except.map((path) => join(host.written, path));
  const onDisk = (await filesWith(patterns, host.written)).filter((path) => !allowed.includes(path));
  const found = onDisk.map((path) => {
    const whose = findIn(patterns, readFileSync(path, 'utf8')).map((words) => words.split(', at ', 1)[0]);
    return `${host.name}: ${whose.join(' and ')} in the file ${path.slice(host.written.length)}`;
  });
  if (!isOn(host)) return found;
  // The journal on disk may be compressed; units are what `systemd-run` and generators made of them.
  for (const command of ['journalctl --no-pager -o export', "systemctl show --no-pager '*'"]) {
    const { stdout } = await host.run(command, { timeoutMs: 120_000, allowFailure: true });
    found.push(...findIn(patterns, stdout).map((words) => `${host.name}: ${command}: ${words}`));
  }
  return found;
}

function isOn(host: TestHost): boolean {
  try {
    return host.shell().length > 0;
  } catch {
    return false;
  }
}

async function filesWith(patterns: readonly Pattern[], folder: string): Promise<string[]> {
  const files = await execute('grep', ['-rlaF', '--devices=skip', '-f', '-', folder], {
    timeoutMs: 120_000,
    input: patterns.map(({ text }) => text).join('\n'),
    // 1: nothing found. 2: also when a file went away meanwhile.
    allowFailure: true,
  });
  return files.stdout.split('\n').filter((path) => path !== '');
}
