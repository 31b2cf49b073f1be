import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { kubeconfigText } from '../controllers/lib/pki/kubeconfig.ts';
import { buildAsset } from './build.ts';
import { type Child, endLeftover, startChild } from './child.ts';
import { apiserverSpec, type Durability, etcdSockets, etcdSpec } from './components.ts';
import { ensureIdentity } from './identity.ts';
import { holderOf, type Lock, tryLock } from './lock.ts';
import { choosePort } from './port.ts';
import { writePrivate } from './private-file.ts';
import { type Progress, terminalProgress } from './progress.ts';
import { apiserverReady, type Login, listens, waitUntil } from './ready.ts';

export type ClusterOptions = {
  /** Everything that the cluster keeps; made if it is not there. */
  dataDir: string;
  /** The API server's; default: the one it had before, else a free one. */
  port?: number;
  durability?: Durability;
  progress?: Progress;
  /** Gives up starting. A cluster that runs is stopped with `stop`. */
  signal?: AbortSignal;
};

/** A real kube-apiserver over a real etcd, on loopback only. */
export type BootstrapCluster = AsyncDisposable & {
  readonly dataDir: string;
  /** `https://127.0.0.1:PORT` */
  readonly server: string;
  /** Path of a kubeconfig of an administrator, readable for its owner only. */
  readonly kubeconfig: string;
  /** Resolves with a sentence when a component ends without having been told to; never, when stopped. */
  readonly failed: Promise<string>;
  /** Stops the API server and starts it again on the same port; etcd goes on. */
  restartApiserver(): Promise<void>;
  /** Returns when no process is left. May be called twice. */
  stop(): Promise<void>;
};

const etcdDeadlineMs = 30_000;
const apiserverDeadlineMs = 60_000;
/** The API server keeps nothing; etcd survives SIGKILL too, but closes its files when it has the time. */
const graceMs = 5_000;

/** Starts the cluster of a data folder. What goes wrong is said in sentences; nothing is left running then. */
export async function startCluster(options: ClusterOptions): Promise<BootstrapCluster> {
  const { progress = terminalProgress(process.stderr), signal = new AbortController().signal } = options;
  const build = { progress, signal };
  const programs = {
    etcd: await buildAsset('etcd', build),
    apiserver: await buildAsset('kube-apiserver', build),
  };
  const dataDir = resolve(options.dataDir);
  const lock = claim(dataDir);
  const running = new Running(lock);
  try {
    await clean(dataDir);
    const login = await ensureIdentity(dataDir);
    const port = await choosePort(dataDir, options.port, progress.note);
    const etcd = running.add(startChild(etcdSpec(dataDir, programs.etcd, options.durability ?? 'disk')));
    const socket = join(dataDir, etcdSockets[0]);
    await waitUntil(etcd, () => listens(socket), etcdDeadlineMs, signal);
    const startApiserver = async (until: AbortSignal): Promise<Child> => {
      const apiserver = running.add(startChild(apiserverSpec(dataDir, programs.apiserver, port)));
      await waitUntil(apiserver, () => apiserverReady(port, login), apiserverDeadlineMs, until);
      return apiserver;
    };
    const apiserver = await startApiserver(signal);
    return describe(dataDir, port, login, running, apiserver, startApiserver);
  } catch (error) {
    await running.stop();
    throw error;
  }
}

function describe(
  dataDir: string,
  port: number,
  login: Login,
  running: Running,
  first: Child,
  startApiserver: (signal: AbortSignal) => Promise<Child>,
): BootstrapCluster {
  const server = `https://127.0.0.1:${port}`;
  const { authority, admin } = login;
  const text = kubeconfigText({
    name: 'firn',
    server,
    authorities: authority,
    user: 'admin',
    credential: admin,
  });
  writePrivate(dataDir, 'kubeconfig', text.open());
  let apiserver = first;
  return {
    dataDir,
    server,
    kubeconfig: join(dataDir, 'kubeconfig'),
    failed: running.failed,
    async restartApiserver() {
      await running.remove(apiserver);
      apiserver = await startApiserver(new AbortController().signal);
    },
    stop: () => running.stop(),
    [Symbol.asyncDispose]: () => running.stop(),
  };
}

function claim(dataDir: string): Lock {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  // Who may enter the folder may talk to etcd: this is what keeps others out.
  chmodSync(dataDir, 0o700);
  const file = join(dataDir, 'lock');
  const lock = tryLock(file);
  if (lock !== null) return lock;
  throw new Error(
    `${dataDir} is in use by a bootstrap cluster of ${holderOf(file)}; stop that one, or name another data folder`,
  );
}

/** An earlier run that was killed may have left processes and sockets. */
async function clean(dataDir: string): Promise<void> {
  for (const name of ['kube-apiserver', 'etcd']) await endLeftover(join(dataDir, `${name}.pid`));
  for (const socket of etcdSockets) rmSync(join(dataDir, socket), { force: true });
}

/** What runs, in the order of starting; stopped in the other. */
class Running {
  readonly failed: Promise<string>;
  readonly #lock: Lock;
  #children: Child[] = [];
  #stopping: Promise<void> | undefined;
  #fail: (sentence: string) => void = () => {};

  constructor(lock: Lock) {
    this.#lock = lock;
    this.failed = new Promise((resolve) => {
      this.#fail = resolve;
    });
  }

  add(child: Child): Child {
    this.#children.push(child);
    void child.ended.then((how) => {
      if (this.#children.includes(child)) this.#fail(`${child.name} ended (${how}):\n${child.lastLines(12)}`);
    });
    return child;
  }

  async remove(child: Child): Promise<void> {
    this.#children = this.#children.filter((other) => other !== child);
    await child.stop(graceMs);
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stopAll();
    return this.#stopping;
  }

  async #stopAll(): Promise<void> {
    for (const child of this.#children.toReversed()) await this.remove(child);
    this.#lock[Symbol.dispose]();
  }
}
