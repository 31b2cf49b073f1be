import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { TestCluster } from './cluster.ts';
import { installationNamespace } from './firn.ts';
import type { LoneOptions } from './lone-operator-program.ts';
import { guardText } from './secrets/registry.ts';

/** An operator process, working by the time a test has it. */
export type LoneOperator = AsyncDisposable & {
  /** All that it has printed: JSON lines. */
  log(): string;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGSTOP: it does nothing, and does not know. */
  freeze(): void;
  /** SIGCONT. */
  thaw(): void;
};

const program = new URL('./lone-operator-program.ts', import.meta.url).pathname;
const startMs = 30_000;

/** Resolves when it has begun to reconcile. All operators of a cluster share one installation. */
export async function startLoneOperator(
  cluster: TestCluster,
  options: { workers?: number; watchNamespaces?: string[] } = {},
): Promise<LoneOperator> {
  const child = fork(program, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], execArgv: [] });
  let printed = '';
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
  }
  const searched = guardText('the log of an operator process', () => printed);
  const closed = once(child, 'close');
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await closed;
    await searched();
  };
  const dispose = async () => {
    child.kill('SIGCONT');
    const patience = setTimeout(() => child.kill('SIGKILL'), 20_000);
    await end('SIGTERM').finally(() => clearTimeout(patience));
  };
  const wanted: LoneOptions = {
    kubeConfigFile: cluster.kubeconfig,
    installationNamespace,
    watchNamespaces: [],
    ...options,
  };
  child.send(wanted);
  const begun = new Promise<'begun'>((resolve) => {
    child.on('message', (phase) => phase === 'leading' && resolve('begun'));
  });
  const late = AbortSignal.timeout(startMs);
  const outcome = await Promise.race([begun, closed, once(late, 'abort')]);
  if (outcome !== 'begun') {
    await end('SIGKILL');
    throw new Error(`the operator does not begin:\n${printed}`);
  }
  return {
    log: () => printed,
    kill: () => end('SIGKILL'),
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    [Symbol.asyncDispose]: dispose,
  };
}
