/** All of Firn, installed and started by a test inside of its own process, with its log kept. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runFirn } from '../../controllers/main.ts';
import type { TestCluster } from './cluster.ts';
import { guardText } from './secrets/registry.ts';

export type RunningFirn = AsyncDisposable & {
  /** JSON lines. */
  readonly log: readonly string[];
  stop(): Promise<void>;
};

export const installationNamespace = 'firn-system';

/** CRDs, and the namespaces that every test of the operator uses. */
export async function installFirn(cluster: TestCluster): Promise<void> {
  const folder = join(import.meta.dirname, '../../crds/generated');
  const manifests = globSync('*.yaml', { cwd: folder }).map((file) =>
    readFileSync(join(folder, file), 'utf8'),
  );
  for (const name of [installationNamespace, 'fleet']) {
    manifests.push(`apiVersion: v1\nkind: Namespace\nmetadata: { name: ${name} }\n`);
  }
  const applied = await cluster.kubectl(['apply', '--server-side', '-f', '-'], manifests.join('\n---\n'));
  if (applied.code !== 0) throw new Error(applied.stderr);
  const established = ['wait', '--for=condition=Established', '--timeout=30s', 'crd', '--all'];
  const waited = await cluster.kubectl(established);
  if (waited.code !== 0) throw new Error(waited.stderr);
}

export async function startFirn(cluster: TestCluster): Promise<RunningFirn> {
  const stopping = new AbortController();
  const log: string[] = [];
  const searched = guardText("the operator's log", () => log.join(''));
  let synced = () => {};
  const ready = new Promise<void>((resolve) => {
    synced = resolve;
  });
  const running = runFirn({
    kubeConfigFile: cluster.kubeconfig,
    installationNamespace,
    watchNamespaces: [],
    leaderElection: false,
    healthPort: null,
    logLevel: 'debug',
    logTo: { write: (line: string) => void log.push(line) },
    signal: stopping.signal,
    onPhase: (phase) => phase.name === 'synced' && synced(),
  });
  await Promise.race([ready, running]);
  const stop = async (): Promise<void> => {
    stopping.abort();
    await running;
    await searched();
  };
  return { log, stop, [Symbol.asyncDispose]: stop };
}
