/**
 * Secrets that must be nowhere: a test delivers canaries, unmistakable random texts, and at its end has everything
 * searched that outlives a moment, and the arguments of all processes while it ran.
 */
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execute } from './hosts/command.ts';
import type { TestHost } from './hosts/test-host.ts';

export type Places = {
  /** Their disk with /nix/store, journal, unit properties, and processes. */
  hosts?: TestHost[];
  /** Of the disk of hosts: paths from its root where the canary has to be, because the test put it there. */
  except?: string[];
  /** By name: logs of the operator, `kubectl get … -o yaml` of all but Secrets, events. */
  texts?: Record<string, string>;
};

export const newCanary = (): string => `canary-${randomBytes(12).toString('hex')}`;

export type CanaryWatch = Disposable & {
  /** Ends the watch and rejects with where a canary was found, with some text around it. */
  expectNone(places: Places): Promise<void>;
};

/**
 * Looks at the arguments of every process on this machine, the hosts' among them, until `expectNone`. A process that
 * lives shorter than `everyMs` may be missed.
 */
export function watchForCanaries(canaries: string[], everyMs = 100): CanaryWatch {
  const patterns = formsOf(canaries);
  const seen = new Set<string>();
  const look = () => {
    for (const text of argumentsOfAll())
      for (const found of findIn(patterns, text)) seen.add(`argv: ${found}`);
  };
  const timer = setInterval(look, everyMs);
  timer.unref();
  return {
    [Symbol.dispose]: () => clearInterval(timer),
    expectNone: async (places) => {
      clearInterval(timer);
      look();
      const found = [...seen, ...(await search(patterns, places))];
      if (found.length > 0) throw new Error(`a secret got out:\n${found.join('\n')}`);
    },
  };
}

/** As `watchForCanaries`, for what can be seen now. */
export async function expectNoSecret(canaries: string[], places: Places): Promise<void> {
  using watch = watchForCanaries(canaries);
  await watch.expectNone(places);
}

async function search(
  patterns: string[],
  { hosts = [], texts = {}, except = [] }: Places,
): Promise<string[]> {
  const inTexts = Object.entries(texts).flatMap(([name, text]) =>
    findIn(patterns, text).map((found) => `${name}: ${found}`),
  );
  const inHosts = await Promise.all(hosts.map((host) => searchHost(patterns, host, except)));
  return [...inTexts, ...inHosts.flat()];
}

async function searchHost(patterns: string[], host: TestHost, except: string[]): Promise<string[]> {
  const allowed = except.map((path) => join(host.written, path));
  const grep = ['-rlaF', '--devices=skip', '-f', '-', host.written];
  const files = await execute('grep', grep, {
    timeoutMs: 120_000,
    input: patterns.join('\n'),
    // 1: nothing found. 2: also when a file went away meanwhile.
    allowFailure: true,
  });
  const onDisk = files.stdout.split('\n').filter((path) => path !== '' && !allowed.includes(path));
  const found = onDisk.map((path) => `${host.name}: in the file ${path.slice(host.written.length)}`);
  // The journal on disk may be compressed; units are what `systemd-run` and generators made of them.
  for (const command of ['journalctl --no-pager -o export', "systemctl show --no-pager '*'"]) {
    const { stdout } = await host.run(command, { timeoutMs: 120_000 });
    found.push(...findIn(patterns, stdout).map((text) => `${host.name}: ${command}: ${text}`));
  }
  return found;
}

/** A text as it is, and as base64 has it, wherever in an encoded text it begins. */
function formsOf(canaries: string[]): string[] {
  return canaries.flatMap((canary) => [
    canary,
    ...[0, 1, 2].map((shift) => {
      const encoded = Buffer.from('\0'.repeat(shift) + canary).toString('base64');
      // Characters that depend on what stands before or after are left out.
      return encoded.replaceAll('=', '').slice(shift === 0 ? 0 : shift + 1, -2);
    }),
  ]);
}

function findIn(patterns: string[], text: string): string[] {
  return patterns.flatMap((pattern) => {
    const at = text.indexOf(pattern);
    if (at < 0) return [];
    return [`${text.slice(Math.max(0, at - 60), at)}[secret]`.replaceAll(/[\0\n]/g, ' ')];
  });
}

function* argumentsOfAll(): Generator<string> {
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      yield readFileSync(`/proc/${entry}/cmdline`, 'latin1');
    } catch {
      // It ended while we looked.
    }
  }
}
