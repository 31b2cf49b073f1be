/** The way into clusters as the operator has it, for tests. */
import { randomBytes } from 'node:crypto';
import type { Clock } from '../../controllers/lib/core/clock.ts';
import { systemClock } from '../../controllers/lib/core/clock.ts';
import type { Hosts } from '../../controllers/lib/host/host.ts';
import { createHosts } from '../../controllers/lib/host/hosts.ts';
import { defaultLimits } from '../../controllers/lib/host/limits.ts';
import { programHash, programText } from '../../controllers/lib/host/program.ts';
import { createTargets, type Targets } from '../../controllers/lib/target/targets.ts';

export type TestTargets = Targets & AsyncDisposable & { hosts: Hosts };

export function startTargets(clock: Clock = systemClock): TestTargets {
  const program = { text: programText, hash: programHash };
  const hosts = createHosts({ clock, program, limits: defaultLimits });
  const targets = createTargets({ hosts, clock, randomBytes });
  return {
    ...targets,
    hosts,
    async [Symbol.asyncDispose]() {
      await targets.close();
      await hosts.close();
    },
  };
}
