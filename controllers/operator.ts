/**
 * The operator as a pod runs it: configured by the environment, authorized by the pod's service account. It never
 * installs anything; the chart has.
 */
import { createLogger } from './lib/runtime/log.ts';
import { runFirn } from './main.ts';
import { readEnvironment } from './operator-environment.ts';

const stop = new AbortController();
for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => stop.abort(new Error(name)));

try {
  await runFirn({ ...readEnvironment(process.env), leaderElection: true, signal: stop.signal });
} catch (error) {
  if (!stop.signal.aborted) {
    createLogger({ level: 'info' }).fatal({ err: error }, 'ended');
    process.exitCode = 1;
  }
}
// Whoever lost the lease must be gone at once, whatever is still open.
process.exit();
