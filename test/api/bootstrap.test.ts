import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { request } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { buildAsset } from '../../bootstrap/build.ts';
import { type BootstrapCluster, startCluster } from '../../bootstrap/cluster.ts';
import { silentProgress } from '../../bootstrap/progress.ts';

const run = promisify(execFile);
let dataDir: string;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'firn-bootstrap-'));
});
afterEach(() => {
  expect(processesIn(dataDir)).toEqual([]);
  rmSync(dataDir, { recursive: true, force: true });
});

const start = (port?: number): Promise<BootstrapCluster> =>
  startCluster({ dataDir, durability: 'memory', progress: silentProgress, ...(port && { port }) });

async function kubectl(kubeconfig: string, ...args: string[]): Promise<string> {
  const cache = `--cache-dir=${join(dataDir, 'kubectl-cache')}`;
  const { stdout } = await run(await buildAsset('kubectl'), [`--kubeconfig=${kubeconfig}`, cache, ...args]);
  return stdout.trim();
}

test('data, port and a copied kubeconfig survive a restart; ServiceAccount tokens are accepted', async () => {
  let token: string;
  let server: string;
  {
    await using cluster = await start();
    server = cluster.server;
    await kubectl(cluster.kubeconfig, 'create', 'serviceaccount', 'alice');
    await kubectl(cluster.kubeconfig, 'create', 'configmap', 'kept', '--from-literal=a=b');
    token = await kubectl(cluster.kubeconfig, 'create', 'token', 'alice');
    await run('cp', [cluster.kubeconfig, join(dataDir, 'copy')]);
  }
  expect(processesIn(dataDir)).toEqual([]);
  await using again = await start();
  expect(again.server).toBe(server);
  const copy = join(dataDir, 'copy');
  expect(await kubectl(copy, 'get', 'configmap', 'kept', '-o', 'jsonpath={.data.a}')).toBe('b');
  const who = await kubectl(copy, 'auth', 'whoami', '-o', 'jsonpath={.status.userInfo.username}');
  expect(who).toBe('firn-admin');
  const { status } = await fetchWith(again, token);
  // Known by its token, and allowed nothing.
  expect(status).toBe(403);
});

test('nobody else on the machine can get in', async () => {
  await using cluster = await start();
  expect(statSync(dataDir).mode & 0o777).toBe(0o700);
  expect(statSync(cluster.kubeconfig).mode & 0o777).toBe(0o600);
  for (const file of readdirSync(join(dataDir, 'pki'))) {
    expect([file, statSync(join(dataDir, 'pki', file)).mode & 0o777]).toEqual([file, 0o600]);
  }
  expect((await fetchWith(cluster, undefined)).status).toBe(401);
  const listening = processesIn(dataDir).flatMap(listeningPorts);
  expect(listening).toEqual([
    `0100007F:${Number(new URL(cluster.server).port).toString(16).toUpperCase().padStart(4, '0')}`,
  ]);
});

test('a second start on a data folder in use is refused, and harms nothing', async () => {
  await using cluster = await start();
  await expect(start()).rejects.toThrow(
    `${dataDir} is in use by a bootstrap cluster of process ${process.pid}; stop that one, or name another data folder`,
  );
  expect(await kubectl(cluster.kubeconfig, 'get', '--raw', '/readyz')).toBe('ok');
});

test('a run that was killed leaves no process, and the next one goes on with its data', async () => {
  const { kubeconfig, child } = await startElsewhere();
  await kubectl(kubeconfig, 'create', 'namespace', 'kept');
  expect(processesIn(dataDir)).toHaveLength(2);
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  // Its children may end before the kernel has taken its lock from it.
  await ended;
  await until(() => processesIn(dataDir).length === 0);
  await using again = await start();
  expect(await kubectl(again.kubeconfig, 'get', 'namespace', 'kept', '-o', 'name')).toBe('namespace/kept');
});

test('processes that outlived a killed run are ended by the next one', async () => {
  // Where the kernel cannot tie children to their parent: no setpriv in PATH.
  const { child } = await startElsewhere({ PATH: '/nonexistent' });
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
  await sleep(300);
  const left = processesIn(dataDir);
  expect(left).toHaveLength(2);
  await using _again = await start();
  expect(processesIn(dataDir).filter((pid) => left.includes(pid))).toEqual([]);
});

test('the API server can be restarted alone', async () => {
  await using cluster = await start();
  const before = processesIn(dataDir);
  await cluster.restartApiserver();
  expect(await kubectl(cluster.kubeconfig, 'get', '--raw', '/readyz')).toBe('ok');
  expect(processesIn(dataDir).filter((pid) => before.includes(pid))).toHaveLength(1);
});

test('a component that dies is reported with its last words', async () => {
  await using cluster = await start();
  const [etcd] = processesIn(dataDir).filter((pid) => commandOf(pid).includes('--initial-cluster'));
  process.kill(Number(etcd), 'SIGKILL');
  expect(await cluster.failed).toMatch(/^etcd ended \(signal SIGKILL\)/);
});

test('a port that was asked for and is taken is refused; one that was kept gives way', async () => {
  await using taken = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => taken.once('listening', resolve));
  const { port } = taken.address() as { port: number };
  await expect(start(port)).rejects.toThrow(`port ${port} of 127.0.0.1 is in use`);
  await run('sh', ['-c', `echo ${port} >"$0"`, join(dataDir, 'port')]);
  await using cluster = await start();
  expect(cluster.server).not.toBe(`https://127.0.0.1:${port}`);
});

test('starting can be given up', async () => {
  const give = new AbortController();
  setTimeout(() => give.abort(new Error('given up')), 400);
  const starting = startCluster({
    dataDir,
    durability: 'memory',
    progress: silentProgress,
    signal: give.signal,
  });
  await expect(starting).rejects.toThrow();
  expect(processesIn(dataDir)).toEqual([]);
});

/** Starts a cluster in a process of its own, which can be killed. */
async function startElsewhere(
  environment: NodeJS.ProcessEnv = {},
): Promise<{ kubeconfig: string; child: ChildProcess }> {
  const assets = join(dataDir, 'assets');
  await run('mkdir', [assets]);
  for (const name of ['etcd', 'kube-apiserver'] as const) {
    await run('ln', ['-s', await buildAsset(name), join(assets, name)]);
  }
  const script = `
    const { startCluster } = await import(${JSON.stringify(join(import.meta.dirname, '../../bootstrap/cluster.ts'))});
    const cluster = await startCluster({ dataDir: ${JSON.stringify(dataDir)}, durability: 'memory' });
    console.log(cluster.kubeconfig);
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...process.env, FIRN_ASSETS: assets, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const kubeconfig = await new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding('utf8').once('data', (text: string) => resolve(text.trim()));
    child.once('exit', (code) => reject(new Error(`ended with ${code}`)));
  });
  return { kubeconfig, child };
}

async function until(holds: () => boolean): Promise<void> {
  for (let waited = 0; !holds(); waited += 20) {
    if (waited > 5000) throw new Error('not within 5 s');
    await sleep(20);
  }
}

/** Process numbers of etcd and API server, which work in the data folder. */
function processesIn(directory: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    const environ = readOrEmpty(`/proc/${pid}/environ`);
    return environ.split('\0').includes(`HOME=${directory}`) && commandOf(pid) !== '';
  });
}

const commandOf = (pid: string): string => readOrEmpty(`/proc/${pid}/cmdline`);

/** proc_pid_net(5) shows the sockets of a whole network namespace: those of one process are found by inode. */
function listeningPorts(pid: string): string[] {
  const own = new Set(
    readdirSync(`/proc/${pid}/fd`).flatMap(
      (fd) => linkOrEmpty(`/proc/${pid}/fd/${fd}`).match(/^socket:\[(\d+)\]$/)?.[1] ?? [],
    ),
  );
  const rows = ['tcp', 'tcp6'].flatMap((table) =>
    readOrEmpty(`/proc/${pid}/net/${table}`).split('\n').slice(1),
  );
  const listening = '0A';
  return rows
    .map((row) => row.trim().split(/\s+/))
    .filter((row) => row[3] === listening && own.has(row[9] ?? ''))
    .map((row) => row[1] ?? '');
}

const readOrEmpty = (file: string): string => orEmpty(() => readFileSync(file, 'utf8'));
const linkOrEmpty = (file: string): string => orEmpty(() => readlinkSync(file));

function orEmpty(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}

/** Asks for the namespaces, with a token or with nothing. */
function fetchWith(
  cluster: BootstrapCluster,
  token: string | undefined,
): Promise<{ status: number | undefined }> {
  const ca = readFileSync(join(cluster.dataDir, 'pki/ca.crt'));
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return new Promise((resolve, reject) => {
    const call = request(`${cluster.server}/api/v1/namespaces`, { ca, headers, agent: false }, (response) => {
      response.resume();
      resolve({ status: response.statusCode });
    });
    call.once('error', reject);
    call.end();
  });
}
