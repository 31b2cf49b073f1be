import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import type { TestCluster } from './cluster.ts';
import { guardText } from './secrets/registry.ts';

export type OperatorProcess = AsyncDisposable & {
  /** All that it has printed. */
  log(): string;
  /** Resolves with its exit code. */
  ended: Promise<number>;
};

const program = new URL('../../controllers/operator.ts', import.meta.url).pathname;

/** `controllers/operator.ts` as a pod would run it: with a token of the service account and nothing else. */
export async function startOperator(
  cluster: TestCluster,
  account: { namespace: string; name: string },
  environment: Readonly<Record<string, string>>,
): Promise<OperatorProcess> {
  const token = await cluster.kubectl(['create', 'token', account.name, '-n', account.namespace]);
  if (token.code !== 0) throw new Error(`kubectl create token: ${token.stderr}`);
  const folder = mkdtempSync(join(tmpdir(), 'firn-operator-'));
  const kubeconfig = join(folder, 'kubeconfig');
  writeFileSync(kubeconfig, kubeconfigWith(cluster, token.stdout.trim()), { mode: 0o600 });
  const child = spawn(process.execPath, [program], {
    env: { PATH: process.env.PATH, HOME: folder, KUBECONFIG: kubeconfig, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
  }
  const searched = guardText('what the operator printed', () => printed);
  const ended = new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? -1)));
  return {
    log: () => printed,
    ended,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      const patience = setTimeout(() => child.kill('SIGKILL'), 20_000);
      await ended;
      clearTimeout(patience);
      await searched();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function kubeconfigWith(cluster: TestCluster, token: string): string {
  const config = parse(readFileSync(cluster.kubeconfig, 'utf8')) as {
    users: { name: string; user: unknown }[];
  };
  return stringify({ ...config, users: config.users.map(({ name }) => ({ name, user: { token } })) });
}
