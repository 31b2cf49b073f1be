import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { installationNamespace } from '../../test/support/firn.ts';
import { ended, profiling, type Usage, usageOf } from '../processes.ts';

export type Operator = AsyncDisposable & {
  usage(): Usage;
  /** Bytes in use after a full collection of garbage. */
  collect(): Promise<NodeJS.MemoryUsage>;
};

const program = join(import.meta.dirname, '../../controllers/operator.ts');
const preload = join(import.meta.dirname, 'measured.ts');

/** `controllers/operator.ts`, as a pod runs it. `profile`: a folder for a CPU profile of its whole life. */
export function startOperator(kubeconfig: string, profile: string | undefined): Operator {
  const child = spawn(
    process.execPath,
    ['--expose-gc', `--import=${preload}`, ...profiling(profile), program],
    {
      env: {
        PATH: process.env.PATH,
        KUBECONFIG: kubeconfig,
        FIRN_NAMESPACE: installationNamespace,
        FIRN_HEALTH_PORT: '0',
        FIRN_LOG_LEVEL: 'warn',
      },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    },
  );
  return {
    usage: () => usageOf(child.pid!),
    async collect() {
      const answer = once(child, 'message', { signal: AbortSignal.timeout(60_000) });
      child.send('collect');
      const [usage] = await answer;
      return usage as NodeJS.MemoryUsage;
    },
    [Symbol.asyncDispose]: () => ended(child),
  };
}
