import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { type CliResult, runFirnCli } from '../support/cli.ts';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { installFirn, type RunningFirn, startFirn } from '../support/firn.ts';
import { apply, getNode, isReady, nodeManifest, sshKeySecret, waitForNode } from '../support/fleet.ts';
import { clusterIn } from '../support/nixclusters.ts';
import { type ScriptedFleet, startScriptedHosts } from '../support/ssh-server/scripted-hosts.ts';
import { waitFor } from '../support/wait.ts';

let cluster: TestCluster;
let operator: RunningFirn;
let fleet: ScriptedFleet;

beforeAll(async () => {
  cluster = await startTestCluster();
  await installFirn(cluster);
  operator = await startFirn(cluster);
  fleet = await startScriptedHosts({ count: 2 });
  await apply(cluster, sshKeySecret(fleet.privateKey));
}, 120_000);

afterAll(async () => {
  await operator?.stop();
  await fleet?.close();
  await cluster?.stop();
});

const firn = (...words: string[]): Promise<CliResult> =>
  runFirnCli([...words, '--kubeconfig', cluster.kubeconfig, '-n', 'fleet']);

const withModule = (text: string): object =>
  nodeManifest('alpha', fleet.hosts[0]!, { modules: [{ inline: text }] });

describe('a host from its first release to a rollback and on', () => {
  let first: string;
  let second: string;

  test('nothing is there yet', async () => {
    expect(await firn('status')).toEqual({ code: 0, out: '', err: 'no NixNodes in fleet\n' });
    expect(await firn('status', 'alpha')).toEqual({
      code: 1,
      out: '',
      err: 'firn: there is no NixNode alpha in namespace fleet; -n names another namespace\n',
    });
  });

  test('status of a host that is as it should be', async () => {
    await apply(cluster, withModule('{ one = 1; }'));
    const node = await waitForNode(cluster, 'alpha', 'Ready', isReady);
    first = node.status!.release!.current!;
    const table = await firn('status');
    expect(table.out.split('\n')[1]).toMatch(new RegExp(`^alpha +True +Healthy +${first}`));
    expect((await firn('status', '-A')).out).toMatch(/^fleet +alpha +True/m);
    const { code, out } = await firn('status', 'alpha');
    expect(code).toBe(0);
    expect(out).toContain('fleet/alpha is what its objects say: Healthy\n');
    expect(out).toContain(`Release: ${first} runs, ${first} is confirmed, ${first} is asked for\n`);
    expect(out).not.toContain('What helps');
  });

  test('a first release has none before it', async () => {
    const { code, err } = await firn('rollback', 'alpha');
    expect({ code, err }).toEqual({
      code: 1,
      err: `firn: ${first} is the first release of Firn on alpha: there is none before it\n`,
    });
  });

  test('the bundle is what the manifests give', async () => {
    const { code, out, err } = await firn('render', 'alpha');
    expect(code).toBe(0);
    expect(out).toContain('{ one = 1; }');
    const node = await getNode(cluster, 'alpha');
    expect(err).toBe(`firn: alpha: system ${node.status!.parts!.system}\n`);
  });

  test('the log of a step comes from the host', async () => {
    const [host] = fleet.hosts;
    host!.state.build!.message = 'one\ntwo\x1b[2J\nthree';
    expect(await firn('logs', 'alpha', 'build', '--lines', '2')).toEqual({
      code: 0,
      out: 'two\ufffd[2J\nthree\n',
      err: '',
    });
    const call = fleet.hosts[0]!.calls.findLast(({ subcommand }) => subcommand === 'log');
    expect(call?.fields).toEqual({ what: 'build', lines: 2 });
  });

  test('a rollback brings the release before, and keeps it', async () => {
    await apply(cluster, withModule('{ two = 2; }'));
    const isSecond = (node: Parameters<typeof isReady>[0]) =>
      isReady(node) && node.status?.release?.confirmed !== first;
    second = (await waitForNode(cluster, 'alpha', 'the second release', isSecond)).status!.release!.current!;
    const { code, out, err } = await firn('rollback', 'alpha', '--wait');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain(`nixnode/alpha: release ${second} is to be taken back\n`);
    expect(out).toMatch(/nixnode\/alpha: release [0-9a-f]{12} runs and is confirmed\n$/);
    expect(fleet.hosts[0]!.state.confirmed).toBe(first);
    const { out: status } = await firn('status', 'alpha');
    expect(status).toContain('firn resume alpha -n fleet');
    expect(status).toContain('Taken back: system ');
  });

  test('resume tries again, and what came back can be rolled back again', async () => {
    expect((await firn('resume', 'alpha')).code).toBe(0);
    const isBack = (node: Parameters<typeof isReady>[0]) =>
      isReady(node) && node.status?.release?.confirmed === second;
    await waitForNode(cluster, 'alpha', 'the second release again', isBack);
    expect(await firn('rollback', 'alpha', '--wait')).toMatchObject({ code: 0, err: '' });
    expect(fleet.hosts[0]!.state.confirmed).toBe(first);
  });
});

describe('a kubeconfig for a cluster', () => {
  let folder: string;
  const kubeconfig = (...words: string[]): Promise<CliResult> =>
    runFirnCli(['kubeconfig', ...words, '--kubeconfig', cluster.kubeconfig, '-n', 'fleet'], {
      environment: { KUBECONFIG: join(folder, 'usual') },
    });
  const firstUserIn = (file: string) =>
    (parse(readFileSync(join(folder, file), 'utf8')) as { users: { name: string; user: unknown }[] })
      .users[0]!;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'firn-cli-'));
    await apply(cluster, clusterIn('fleet'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test('is made for whoever asks, and written for them alone', async () => {
    const asked = [
      '--cluster',
      'demo',
      '--user',
      'me',
      '--group',
      'firn:cluster-admins',
      '--lifetime',
      '24h',
    ];
    const file = join(folder, 'own');
    const { code, out, err } = await kubeconfig(...asked, '--output', file);
    expect({ code, out }).toEqual({ code: 0, out: '' });
    expect(err).toBe(
      `firn: made ClusterAccess fleet/demo-me\nfirn: written to ${file}; use it with: kubectl --kubeconfig ${file}\n`,
    );
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const again = await kubeconfig(...asked, '--merge');
    expect(again).toMatchObject({ code: 0, out: '' });
    expect(again.err).not.toContain('made ClusterAccess');
    expect(firstUserIn('usual')).toEqual(firstUserIn('own'));
  });

  test('is printed by its name', async () => {
    const { code, out } = await kubeconfig('demo-me', '--as', 'home');
    expect(code).toBe(0);
    const { users, clusters } = parse(out) as { users: unknown[]; clusters: unknown[] };
    expect(users).toEqual([{ ...firstUserIn('own'), name: 'home' }]);
    expect(clusters).toMatchObject([{ name: 'home', cluster: { server: 'https://kube.example.com:6443' } }]);
  });

  test.each<[what: string, words: string[], said: string]>([
    ['no such access', ['nobody'], 'there is no ClusterAccess nobody in namespace fleet'],
    [
      'no such cluster',
      ['--cluster', 'other', '--user', 'me'],
      'there is no NixCluster other in namespace fleet',
    ],
    [
      'the name of one for others',
      ['demo-me', '--cluster', 'demo', '--user', 'you'],
      'there is a ClusterAccess demo-me already, for me of',
    ],
    [
      'a group that nobody can be in',
      ['x', '--cluster', 'demo', '--user', 'you', '--group', 'system:masters'],
      'system:masters cannot be taken back',
    ],
    [
      'a lifetime that is none',
      ['x', '--cluster', 'demo', '--user', 'you', '--lifetime', 'long'],
      'must be a duration',
    ],
  ])('%s is said', async (_, words, said) => {
    const { code, out, err } = await kubeconfig(...words);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain(said);
  });

  test('a Secret that is somebody else’s is said', async () => {
    const taken = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'taken-kubeconfig', namespace: 'fleet' },
    };
    await apply(cluster, taken);
    const { code, err } = await kubeconfig('taken', '--cluster', 'demo', '--user', 'you');
    expect({ code, err }).toMatchObject({
      code: 1,
      err: expect.stringContaining('Secret taken-kubeconfig is there already'),
    });
  });
});

test('whoever may not read the Secret is told so', async () => {
  await cluster.kubectl(['create', 'serviceaccount', 'reader', '-n', 'fleet']);
  await cluster.kubectl([
    'create',
    'role',
    'reader',
    '-n',
    'fleet',
    '--verb=get,list',
    '--resource=nixnodes.firn.dev,nixmodules.firn.dev',
  ]);
  await cluster.kubectl([
    'create',
    'rolebinding',
    'reader',
    '-n',
    'fleet',
    '--role=reader',
    '--serviceaccount=fleet:reader',
  ]);
  const { stdout: token } = await cluster.kubectl(['create', 'token', 'reader', '-n', 'fleet']);
  const folder = mkdtempSync(join(tmpdir(), 'firn-cli-'));
  try {
    const kubeconfig = join(folder, 'kubeconfig');
    await cluster.kubectl(['config', 'view', '--raw', '--flatten']).then(async ({ stdout }) => {
      const { parse, stringify } = await import('yaml');
      const config = parse(stdout);
      config.users[0].user = { token: token.trim() };
      const { writeFile } = await import('node:fs/promises');
      await writeFile(kubeconfig, stringify(config), { mode: 0o600 });
    });
    const asReader = (...words: string[]) =>
      runFirnCli([...words, '--kubeconfig', kubeconfig, '-n', 'fleet']);
    expect((await asReader('status', 'alpha')).code).toBe(0);
    const logs = await asReader('logs', 'alpha');
    expect(logs).toMatchObject({
      code: 1,
      err: expect.stringContaining("the kubeconfig's user may not do that"),
    });
    const rendered = await asReader('render', 'alpha');
    expect(rendered.code).toBe(0);
    expect(rendered.err).toContain('Secret deploy-key is not there');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

describe('firn start', () => {
  let dataDir: string;
  const program = join(import.meta.dirname, '../../cli/firn.ts');
  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'firn-start-'));
  });
  afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

  function startIt(...words: string[]): { child: ChildProcess; said: () => string } {
    // As a terminal's foreground group: Ctrl-C reaches whoever is in it.
    const child = spawn(process.execPath, [program, 'start', ...words], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        said += text;
      });
    }
    return { child, said: () => said };
  }

  const left = (): string[] =>
    readdirSync('/proc').filter((pid) => {
      try {
        return (
          /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`HOME=${dataDir}\0`)
        );
      } catch {
        return false;
      }
    });

  test('a cluster and the operator in it; Ctrl-C stops both', async () => {
    const { child, said } = startIt('--data-dir', dataDir);
    try {
      await waitFor('the first lines to type', () => said().includes('get nixnodes'), { withinMs: 60_000 });
      expect(said()).toContain(`export KUBECONFIG=${dataDir}/kubeconfig`);
      const kubeconfig = join(dataDir, 'kubeconfig');
      const own = [`--kubeconfig=${kubeconfig}`];
      expect((await cluster.kubectl(['create', 'namespace', 'fleet', ...own])).code).toBe(0);
      const other: TestCluster = {
        ...cluster,
        kubeconfig,
        kubectl: (args, input) => cluster.kubectl([...args, ...own], input),
      };
      await apply(other, sshKeySecret(fleet.privateKey), nodeManifest('beta', fleet.hosts[1]!));
      await waitForNode(other, 'beta', 'Ready', isReady);
      process.kill(-child.pid!, 'SIGINT');
      const [code] = await once(child, 'exit');
      expect({ code, said: said() }).toEqual({ code: 0, said: expect.stringContaining('firn: stopping') });
      expect(left()).toEqual([]);
    } finally {
      child.kill('SIGKILL');
    }
  });

  test('against another cluster', async () => {
    await operator.stop();
    const { child, said } = startIt(
      '--kubeconfig',
      cluster.kubeconfig,
      '--namespace',
      'firn-other',
      '--health-port',
      '47808',
    );
    try {
      await waitFor('the operator', () => said().includes('it keeps its identity in namespace firn-other'), {
        withinMs: 60_000,
      });
      const lease = () => cluster.kubectl(['get', 'lease', 'firn-operator', '-n', 'firn-other']);
      await waitFor('the lease', async () => (await lease()).code === 0, { withinMs: 20_000 });
      child.kill('SIGINT');
      expect((await once(child, 'exit'))[0]).toBe(0);
    } finally {
      child.kill('SIGKILL');
    }
  });
});
