/**
 * `npm run demo`: a bootstrap cluster, the operator, two hosts, and a guided tour. Stays until Ctrl-C; with `--exit` it
 * ends after the tour, with status 0 only if all of it was seen; with `--scripted` the hosts are played even where they could be
 * booted. Leaves nothing behind.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { buildAsset } from '../bootstrap/build.ts';
import { startCluster } from '../bootstrap/cluster.ts';
import { terminalProgress } from '../bootstrap/progress.ts';
import { runFirn } from '../controllers/main.ts';
import { bootFleet, type Fleet, scriptFleet, whyNotBooted } from './fleet.ts';
import { type Kubectl, kubectlWith } from './kubectl.ts';
import { namespace } from './manifests.ts';
import { sceneOf } from './scene.ts';
import { terminal } from './terminal.ts';
import { falseConditions, tour } from './tour.ts';

const installationNamespace = 'firn-system';

const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    if (!interrupted.signal.aborted) terminal.say('\nstopping …');
    interrupted.abort();
  });
}
process.exitCode = await demo(process.argv.slice(2), interrupted.signal);

async function demo(args: readonly string[], signal: AbortSignal): Promise<number> {
  const unknown = args.find((argument) => !['--exit', '--scripted'].includes(argument));
  if (unknown !== undefined) {
    console.error(
      `no such option: ${unknown}; there are --exit (after the tour) and --scripted (hosts that are played)`,
    );
    return 2;
  }
  const folder = mkdtempSync(join(tmpdir(), 'firn-demo-'));
  try {
    const notBooted = args.includes('--scripted') ? '--scripted was given' : whyNotBooted();
    return await stage({ folder, after: args.includes('--exit') ? 'exit' : 'stay', notBooted, signal });
  } catch (error) {
    if (signal.aborted) return 130;
    terminal.failed(error instanceof Error ? error.message : String(error));
    return 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

type Staging = {
  /** Everything that is written goes here, and goes away with it. */
  folder: string;
  after: 'exit' | 'stay';
  /** Why no hosts are booted; null: they are. */
  notBooted: string | null;
  signal: AbortSignal;
};

async function stage({ folder, after, notBooted, signal }: Staging): Promise<number> {
  terminal.title('Firn: a Kubernetes operator for bare NixOS hosts');
  const progress = terminalProgress(process.stderr);
  const program = await buildAsset('kubectl', { progress, signal });
  terminal.say('starting a kube-apiserver with its etcd …');
  await using cluster = await startCluster({
    dataDir: join(folder, 'cluster'),
    durability: 'memory',
    progress,
    signal,
  });
  await using fleet = await startFleet(notBooted);
  signal.throwIfAborted();
  const kubectl = kubectlWith(program, cluster.kubeconfig, join(folder, 'kubectl'), signal);
  await install(kubectl);
  await using operator = startOperator(cluster.kubeconfig, join(folder, 'operator.log'));
  const seenAll = await Promise.race([
    guide(fleet, kubectl, signal),
    operator.failed.then((error) => Promise.reject(error)),
    cluster.failed.then((sentence) => Promise.reject(new Error(sentence))),
  ]);
  if (after === 'stay') {
    invite(cluster.kubeconfig, program, join(folder, 'operator.log'));
    await Promise.race([aborted(signal), cluster.failed, operator.failed]);
  }
  return seenAll ? 0 : 1;
}

async function startFleet(reason: string | null): Promise<Fleet> {
  if (reason === null) {
    terminal.say(
      'booting two hosts in systemd-nspawn (the first time makes their image, which takes minutes) …',
    );
    return bootFleet();
  }
  terminal.say(
    `No hosts are booted: ${reason}. Two scripted SSH servers play them; what they "build" and "switch" is played too.`,
  );
  return scriptFleet();
}

async function install(kubectl: Kubectl): Promise<void> {
  const crds = join(import.meta.dirname, '../crds/generated');
  await kubectl(['apply', '--server-side', '-f', crds]);
  await kubectl(['wait', '--for=condition=Established', '--timeout=30s', '-f', crds]);
  await kubectl(['create', 'namespace', installationNamespace]);
}

/** In this process, as `npm start` runs it; its log goes to a file. */
function startOperator(
  kubeConfigFile: string,
  logFile: string,
): AsyncDisposable & { failed: Promise<unknown> } {
  const stop = new AbortController();
  const running = runFirn({
    kubeConfigFile,
    installationNamespace,
    watchNamespaces: [],
    leaderElection: false,
    healthPort: null,
    logLevel: 'info',
    logTo: pino.destination({ dest: logFile, sync: true }),
    signal: stop.signal,
  });
  return {
    failed: new Promise((resolve) => running.catch(resolve)),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running.catch(() => undefined);
    },
  };
}

/** Whether everything was seen. Says what was not, and goes no further. */
async function guide(fleet: Fleet, kubectl: Kubectl, signal: AbortSignal): Promise<boolean> {
  const scene = sceneOf(fleet, kubectl, signal);
  const steps = tour();
  for (const [index, step] of steps.entries()) {
    terminal.title(`${index + 1}/${steps.length}  ${step.title}`);
    terminal.say(step.about);
    try {
      await step.do(scene);
      await step.see(scene);
    } catch (error) {
      if (signal.aborted) throw error;
      terminal.failed(error instanceof Error ? error.message : String(error));
      await scene.show(['get', 'nixnodes', '-n', namespace]);
      for (const { name } of fleet.hosts) await scene.show(falseConditions(name));
      return false;
    }
  }
  terminal.title(`All of it was seen, on ${fleet.kind} hosts.`);
  return true;
}

function invite(kubeconfig: string, program: string, logFile: string): void {
  terminal.title('It stays until Ctrl-C. In another terminal:');
  terminal.listing(
    [
      `export KUBECONFIG=${kubeconfig}`,
      `alias kubectl=${program}`,
      `kubectl get nixnodes -n ${namespace} --watch`,
      `kubectl describe nixnode alpha -n ${namespace}`,
      `kubectl edit nixmodule base -n ${namespace}`,
      `tail -f ${logFile}`,
    ].join('\n'),
  );
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
