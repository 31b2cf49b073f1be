/** The two programs of Kubernetes' modules that read fleet data: what they make of it, and of what is none. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const modules = join(import.meta.dirname, '../../nix/modules/kubernetes');
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'firn-scripts-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function run(script: string, args: string[], environment: Record<string, string>) {
  const { status, stdout, stderr } = spawnSync('bash', [join(modules, script), ...args], {
    env: { PATH: process.env.PATH ?? '', ...environment },
    encoding: 'utf8',
    timeout: 10_000,
  });
  return { status, stdout, stderr };
}

describe('etcd', () => {
  const start = (cluster: string | null) => {
    const file = join(folder, 'cluster');
    if (cluster !== null) writeFileSync(file, cluster);
    return run('etcd.sh', ['echo', '--name=a'], {
      FIRN_ETCD_CLUSTER: file,
      FIRN_ETCD_NAME: 'a',
      STATE_DIRECTORY: folder,
      FIRN_ETCD_WAIT: '0',
    });
  };

  test('a member without data is told which cluster it becomes part of', () => {
    const said = start(
      'state existing\nmember a https://[fd88:1::1]:2380\nmember b-1 https://10.88.2.1:2380\n',
    );
    expect(said.stdout.trim()).toBe(
      '--name=a --initial-cluster-state=existing --initial-cluster=a=https://[fd88:1::1]:2380,b-1=https://10.88.2.1:2380',
    );
  });

  test('one with data needs no file', () => {
    mkdirSync(join(folder, 'member/wal'), { recursive: true });
    expect(start(null)).toMatchObject({ status: 0, stdout: '--name=a\n' });
  });

  test('the only one is a cluster by itself', () => {
    const environment = { FIRN_ETCD_CLUSTER: '', FIRN_ETCD_NAME: 'a', STATE_DIRECTORY: folder };
    expect(run('etcd.sh', ['echo'], environment).stdout).toBe('--initial-cluster=a=unix://peer:0\n');
  });

  test.each([
    [null, 'there is no'],
    ['', 'does not say whether the cluster is new'],
    ['state new\nmember b https://10.88.2.1:2380\n', 'it does not have a'],
    ['state new\nmember a https://10.88.1.1:2380,b=https://x:1\n', 'line 2 is no line of a cluster'],
    ['state new\nmember a http://10.88.1.1:2380\n', 'line 2 is no line of a cluster'],
    ['state perhaps\n', 'line 1 is no line of a cluster'],
  ])('%j does not start it', (cluster, message) => {
    const said = start(cluster);
    expect(said).toMatchObject({ status: 1, stdout: '' });
    expect(said.stderr).toContain(message);
  });
});

describe('what waits', () => {
  const start = (what: string, environment: Record<string, string> = {}) =>
    run('await.sh', [what, 'echo', 'started', '--flag=a b'], environment);

  test('becomes the program when a socket is there', async () => {
    const path = join(folder, 'socket');
    const server = createServer().listen(path);
    await once(server, 'listening');
    expect(start(`socket:${path}`).stdout).toBe('started --flag=a b\n');
    server.close();
  });

  test('becomes the program when the API is ready', () => {
    expect(start('api:/x', { FIRN_KUBECTL: 'true' }).stdout).toBe('started --flag=a b\n');
  });

  test('does not know anything else', () => {
    expect(start('the-moon').status).toBe(2);
  });
});

describe('the balancer', () => {
  const render = (servers: string | null, environment: Record<string, string> = {}) => {
    const file = join(folder, 'api-servers');
    if (servers !== null) writeFileSync(file, servers);
    const said = run('loadbalancer.sh', ['render'], {
      FIRN_API_SERVERS: file,
      FIRN_AUTHORITY: '/etc/kubernetes/pki/ca.crt',
      FIRN_HAPROXY: 'true',
      FIRN_IPV6: 'true',
      FIRN_OWN_API_SERVER: '',
      FIRN_PORT: '7443',
      RUNTIME_DIRECTORY: folder,
      ...environment,
    });
    expect(said).toMatchObject({ status: 0, stderr: '' });
    return readFileSync(join(folder, 'haproxy.cfg'), 'utf8');
  };
  const serversIn = (text: string) => [...text.matchAll(/^ {2}server (.*)$/gm)].map(([, server]) => server);

  test('each server once; nothing that is none', () => {
    const text = render(
      '10.88.1.1:6443\n[fd88:2::1]:6443\n10.88.1.1:6443\n10.88.1.1:6443 backup\nbind :80\nx:1\n# 1.2.3.4:5\n',
    );
    expect(serversIn(text)).toEqual(['api1 10.88.1.1:6443', 'api2 [fd88:2::1]:6443']);
    expect(text).toContain('  bind 127.0.0.1:7443\n  bind [::1]:7443\n');
    expect(text).not.toMatch(/^\t/m);
  });

  test('without a file a control-plane host has its own, others none', () => {
    expect(serversIn(render(null, { FIRN_OWN_API_SERVER: '10.88.1.1:6443' }))).toEqual([
      'api1 10.88.1.1:6443',
    ]);
    expect(serversIn(render(null))).toEqual([]);
  });

  test('without IPv6 nothing listens there', () => {
    expect(render(null, { FIRN_IPV6: 'false' })).not.toContain('::1');
  });

  test('what HAProxy refuses does not replace what it has', () => {
    const before = render('10.88.1.1:6443\n');
    writeFileSync(join(folder, 'api-servers'), '10.88.2.1:6443\n');
    const { status } = run('loadbalancer.sh', ['render'], {
      FIRN_API_SERVERS: join(folder, 'api-servers'),
      FIRN_AUTHORITY: '/x',
      FIRN_HAPROXY: 'false',
      FIRN_IPV6: 'true',
      FIRN_OWN_API_SERVER: '',
      FIRN_PORT: '7443',
      RUNTIME_DIRECTORY: folder,
    });
    expect(status).not.toBe(0);
    expect(readFileSync(join(folder, 'haproxy.cfg'), 'utf8')).toBe(before);
  });
});
