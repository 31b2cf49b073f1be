import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildAsset } from '../../bootstrap/build.ts';
import { startCluster } from '../../bootstrap/cluster.ts';
import { placeOfCluster } from './secrets/api-search.ts';
import { keepSecretsOf } from './secrets/manifests.ts';
import { guard } from './secrets/registry.ts';

export type KubectlResult = { stdout: string; stderr: string; code: number };

export type TestCluster = AsyncDisposable & {
  /** Path of an administrator's kubeconfig. */
  kubeconfig: string;
  server: string;
  /** Runs kubectl against the cluster; `input` is its standard input. Never throws because of an exit code. */
  kubectl(args: string[], input?: string): Promise<KubectlResult>;
  /** Stops the API server and starts it again on the same port, with the same data. */
  restartApiserver(): Promise<void>;
  stop(): Promise<void>;
};

/** A bootstrap cluster of its own in a temporary folder. Any number may run at once. */
export async function startTestCluster(): Promise<TestCluster> {
  const dataDir = mkdtempSync(join(tmpdir(), 'firn-cluster-'));
  const program = await buildAsset('kubectl');
  const cluster = await startCluster({ dataDir, durability: 'memory' }).catch((error: unknown) => {
    rmSync(dataDir, { recursive: true, force: true });
    throw error;
  });
  const stop = async (): Promise<void> => {
    await searched();
    await cluster.stop();
    rmSync(dataDir, { recursive: true, force: true });
  };
  const running: TestCluster = {
    kubeconfig: cluster.kubeconfig,
    server: cluster.server,
    kubectl: (args, input = '') => {
      keepSecretsOf(input);
      return kubectl(program, dataDir, args, input);
    },
    restartApiserver: () => cluster.restartApiserver(),
    stop,
    [Symbol.asyncDispose]: stop,
  };
  const searched = guard(placeOfCluster(running));
  return running;
}

function kubectl(program: string, dataDir: string, args: string[], input: string): Promise<KubectlResult> {
  const own = [
    `--kubeconfig=${join(dataDir, 'kubeconfig')}`,
    `--cache-dir=${join(dataDir, 'kubectl-cache')}`,
  ];
  // First, so that a test may name another cluster behind them.
  const child = spawn(program, [...own, ...args], { timeout: 60_000, killSignal: 'SIGKILL' });
  const result: KubectlResult = { stdout: '', stderr: '', code: -1 };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    result.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    result.stderr += text;
  });
  child.stdin.on('error', () => {}); // a kubectl that ends early does not read its input
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ ...result, code: code ?? -1 }));
  });
}
