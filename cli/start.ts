/** What `firn start` does: a cluster if none is given, the definitions of our kinds, and the operator until Ctrl-C. */
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import pino from 'pino';
import { type BootstrapCluster, startCluster } from '../bootstrap/cluster.ts';
import { findKubectl } from '../bootstrap/kubectl.ts';
import { runFirn } from '../controllers/main.ts';
import { CliError } from './command.ts';
import { connect } from './connect.ts';
import { install } from './install.ts';
import type { Terminal } from './terminal.ts';

export type StartOptions = {
  namespace: string;
  watchNamespaces: readonly string[];
  healthPort: number | null;
  logLevel: string;
  terminal: Terminal;
  signal: AbortSignal;
};

/** Runs the operator against a cluster that is there; its log goes to standard output. */
export async function startOn(kubeconfig: string, options: StartOptions): Promise<number> {
  const { terminal, namespace } = options;
  await prepare(kubeconfig, options);
  terminal.err(`firn: the operator runs; it keeps its identity in namespace ${namespace}`);
  await runUntilStopped(kubeconfig, options, { leaderElection: true });
  return 0;
}

/** Runs a cluster and the operator in it. */
export async function startOwn(
  place: { dataDir: string; port?: number },
  options: StartOptions,
): Promise<number> {
  const { terminal, signal } = options;
  terminal.err(`firn: starting etcd and kube-apiserver; their data is in ${place.dataDir}`);
  const kubectl = await findKubectl({ signal });
  await using cluster = await startCluster({ ...place, signal });
  await prepare(cluster.kubeconfig, options);
  const logFile = join(cluster.dataDir, 'operator.log');
  welcome(cluster, kubectl, logFile, terminal);
  const logTo = pino.destination({ dest: startLog(logFile), sync: true });
  const failed = new AbortController();
  void cluster.failed.then((sentence) => failed.abort(new CliError(sentence)));
  const until = { ...options, signal: AbortSignal.any([signal, failed.signal]) };
  // Nobody else can be at work here: the lock on the data folder says so.
  await runUntilStopped(cluster.kubeconfig, until, { leaderElection: false, logTo });
  failed.signal.throwIfAborted();
  terminal.err('firn: stopping; hosts go on as they are');
  return 0;
}

async function prepare(kubeconfig: string, { namespace, terminal, signal }: StartOptions): Promise<void> {
  await using connection = connect({ kubeconfig, context: undefined, namespace });
  const names = await install(connection.client, namespace, signal);
  terminal.err(`firn: the cluster knows ${names.join(', ')}`);
}

type Running = { leaderElection: boolean; logTo?: pino.DestinationStream };

async function runUntilStopped(kubeconfig: string, options: StartOptions, running: Running): Promise<void> {
  const { namespace, watchNamespaces, healthPort, logLevel, signal } = options;
  try {
    await runFirn({
      kubeConfigFile: kubeconfig,
      installationNamespace: namespace,
      watchNamespaces,
      healthPort,
      logLevel,
      signal,
      ...running,
    });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

function welcome(cluster: BootstrapCluster, kubectl: string, logFile: string, terminal: Terminal): void {
  const lines = [
    `firn: the operator runs in ${cluster.server}; Ctrl-C stops both, and keeps the data`,
    '',
    '  In another terminal:',
    '',
    `    export KUBECONFIG=${cluster.kubeconfig}`,
    `    ${kubectl} create namespace fleet`,
    `    ${kubectl} apply --server-side -f docs/examples/01-plain-host.yaml   # first, make it yours`,
    `    ${kubectl} get nixnodes -n fleet --watch`,
    '',
    `  The operator's log is ${logFile}.`,
  ];
  for (const line of lines) terminal.err(line);
}

/** The last run's log is kept beside it. */
function startLog(file: string): string {
  try {
    renameSync(file, `${file}.1`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  return file;
}
