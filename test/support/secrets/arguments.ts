import { readdirSync, readFileSync } from 'node:fs';

/** The arguments of every process on this machine, those of hosts in containers among them (proc(5), `cmdline`). */
export function* argumentsOfAll(): Generator<string> {
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      yield readFileSync(`/proc/${entry}/cmdline`, 'latin1');
    } catch {
      // It ended while we looked.
    }
  }
}
