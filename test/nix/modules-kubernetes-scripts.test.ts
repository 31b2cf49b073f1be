/** The programs of Kubernetes' modules that read fleet data: what they make of it, and of what is none. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const modules = join(import.meta.dirname, '../../nix/modules/kubernetes');
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'firn-scripts-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function run(script: string, args: string[], environment: Record<string, string>) {
  const { status, stdout, stderr } = spawnSync('bash', [resolve(modules, script), ...args], {
    env: { PATH: process.env.PATH ?? '', ...environment },
    encoding: 'utf8',
    timeout: 10_000,
  });
  return { status, stdout, stderr };
}

describe('etcd', () => {
  const identity = readFileSync(join(modules, 'etcd-identity.sh'), 'utf8');
  const file = () => join(folder, 'cluster');
  const start = (cluster: string | null, environment: Record<string, string> = {}, program = ['echo']) => {
    if (cluster !== null) writeFileSync(file(), cluster);
    const script = join(folder, 'etcd.sh');
    writeFileSync(script, identity + readFileSync(join(modules, 'etcd.sh'), 'utf8'));
    mkdirSync(join(folder, 'memory'), { recursive: true });
    return run(script, [...program, '--name=a'], {
      FIRN_ETCD_CLUSTER: file(),
      FIRN_ETCD_DATA: folder,
      FIRN_ETCD_MEMORY: join(folder, 'memory'),
      FIRN_ETCD_NAME: 'a',
      FIRN_ETCD_TRANSPORT: 'TLS',
      FIRN_ETCD_WAIT: '0',
      ...environment,
    });
  };
  /** As etcd writes the second record of its log: member 2abe0c9563ce30a3 of cluster 522bc5689336334. */
  const log = Buffer.from(
    '0400000000000084080410000000000' +
      '01d00000000000083080110d9abab4a1a1408a3e1b89ed69283df2a10b4c6cdc9e88aaf91050000000e00000000000082',
    'hex',
  );
  const haveData = () => {
    mkdirSync(join(folder, 'member/wal'), { recursive: true });
    writeFileSync(join(folder, 'member/wal/0000000000000000-0000000000000000.wal'), log);
  };
  const remembered = () => readFileSync(join(folder, 'memory/started'), 'utf8');
  /** As long as it takes to see data twice. */
  const forAWhile = ['sh', '-c', 'mkdir -p "$FIRN_ETCD_DATA/member/wal"; sleep 0.6; echo "$@"', 'etcd'];
  const alone = 'state new\nstart 1-a\nmember a unix://peer:0\n';

  test('a member without data is told which cluster it becomes part of', () => {
    const said = start(
      'state existing\nmember a https://[fd88:1::1]:2380\nmember b-1 https://10.88.2.1:2380\n',
    );
    expect(said.stdout.trim()).toBe(
      '--name=a --initial-cluster-state=existing --initial-cluster=a=https://[fd88:1::1]:2380,b-1=https://10.88.2.1:2380',
    );
  });

  test('one with data needs no file', () => {
    haveData();
    expect(start(null)).toMatchObject({ status: 0, stdout: '--name=a\n' });
    expect(start('rubbish')).toMatchObject({ status: 0, stdout: '--name=a\n' });
  });

  test('the only one is a cluster by itself', () => {
    expect(start(null, { FIRN_ETCD_CLUSTER: '' }).stdout).toBe(
      '--name=a --initial-cluster=a=unix://peer:0\n',
    );
  });

  test('the only one may have to be told, too', () => {
    expect(start(null)).toMatchObject({ status: 1, stdout: '' });
    expect(start(alone).stdout).toBe(
      '--name=a --initial-cluster-state=new --initial-cluster-token=1-a --initial-cluster=a=unix://peer:0\n',
    );
  });

  test('no word makes data twice', () => {
    expect(start(alone, {}, forAWhile).status).toBe(0);
    expect(remembered()).toBe('start 1-a\ntransport TLS\n');
    rmSync(join(folder, 'member'), { recursive: true });
    expect(start(null)).toMatchObject({ status: 1, stdout: '' });
    expect(start(alone.replace('1-a', '2-b')).stdout).toContain('--initial-cluster-state=new');
  });

  test('what nothing came of can be tried again by the same word', () => {
    for (const _ of [1, 2]) expect(start(alone).stdout).toContain('--initial-cluster-state=new');
  });

  test('whoever remembers is no child of etcd’s, which waits for none', () => {
    haveData();
    const children = `const { readdirSync, readFileSync } = require('node:fs');
      setTimeout(() => {
        const stats = readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name)).flatMap((pid) => {
          try { return readFileSync('/proc/' + pid + '/stat', 'utf8').replace(/.*[)] /, ''); } catch { return []; }
        });
        console.log('children', stats.filter((stat) => stat.split(' ')[1] === String(process.pid)).length);
      }, 800);`;
    expect(start(alone, {}, [process.execPath, '-e', children, '--']).stdout).toBe('children 0\n');
    expect(remembered()).toBe('start 1-a\ntransport TLS\n');
  });

  test('one that was killed before it remembered does so later, and forgets nothing', () => {
    haveData();
    start(alone, {}, forAWhile);
    expect(remembered()).toContain('start 1-a\n');
    rmSync(file());
    start(null, { FIRN_ETCD_TRANSPORT: 'Socket' }, forAWhile);
    expect(remembered()).toBe('start 1-a\ntransport Socket\n');
  });

  test('a survivor goes on alone once, where somebody says so', () => {
    haveData();
    mkdirSync(join(folder, 'memory'));
    writeFileSync(join(folder, 'memory/force-new-cluster'), '');
    expect(start(null).stdout).toBe('--name=a --force-new-cluster\n');
    expect(start(null).stdout).toBe('--name=a\n');
  });

  test('data of a removed member are put aside, those of any other stay', () => {
    haveData();
    mkdirSync(join(folder, 'memory'));
    writeFileSync(join(folder, 'memory/started'), 'start 1-a\n');
    const again = `state existing\nstart 2\nmember a https://10.88.1.1:2380\n`;
    expect(start(`${again}replaces 522bc5689336334\n`).stdout).toBe('--name=a\n');
    const said = start(`${again}replaces 2abe0c9563ce30a3\n`);
    expect(said.stdout).toContain('--initial-cluster-state=existing');
    expect(said.stderr).toContain('2abe0c9563ce30a3 was removed');
    expect(readdirSync(join(folder, 'removed/wal'))).toHaveLength(1);
  });

  test.each([
    [null, 'does not say which cluster'],
    ['', 'does not say whether the cluster is new'],
    ['state new\nmember b https://10.88.2.1:2380\n', 'it does not have a'],
    ['state new\nmember a https://10.88.1.1:2380,b=https://x:1\n', 'line 2 is no line of a cluster'],
    ['state new\nmember a http://10.88.1.1:2380\n', 'line 2 is no line of a cluster'],
    ['state new\nstart a b\nmember a https://10.88.1.1:2380\n', 'line 2 is no line of a cluster'],
    ['state new\nreplaces $(id)\nmember a https://10.88.1.1:2380\n', 'line 2 is no line of a cluster'],
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

describe('frontends', () => {
  const render = (lines: string | null, environment: Record<string, string> = {}) => {
    const file = join(folder, 'frontends');
    if (lines !== null) writeFileSync(file, lines);
    const said = run('frontends.sh', ['render'], {
      FIRN_FRONTENDS: file,
      FIRN_DOMAIN: 'k8s.internal',
      FIRN_HAPROXY: 'true',
      FIRN_IPV6: 'true',
      FIRN_MAX_CONNECTIONS: '1000',
      FIRN_RESOLVERS: 'fd88:1::1 10.88.1.1',
      RUNTIME_DIRECTORY: folder,
      ...environment,
    });
    expect(said).toMatchObject({ status: 0, stderr: '' });
    return readFileSync(join(folder, 'haproxy.cfg'), 'utf8');
  };
  const sections = (text: string) => text.split(/^(?=listen )/m).slice(1);
  const web = 'frontend web TCP leastconn 20 PLAIN default ingress https\n';

  test('a section each; the records of a service are asked of this host’s own resolver', () => {
    const text = render(
      `${web}bind web 198.51.100.2 443\nbind web 2001:db8:2::1000 443\n` +
        'frontend site HTTP roundrobin 3 PROXY shop www http\nbind site * 80\n',
    );
    expect(text).toContain('nameserver node1 tcp@[fd88:1::1]:53\n  nameserver node2 tcp@10.88.1.1:53\n');
    const [first, second] = sections(text) as [string, string];
    expect(first).toContain(
      '  bind 198.51.100.2:443 transparent\n  bind [2001:db8:2::1000]:443 v6only transparent\n',
    );
    expect(first).toMatch(
      /^ {2}server-template s 1-20 _https\._tcp\.ingress\.default\.svc\.k8s\.internal resolvers/m,
    );
    expect(first).not.toContain('send-proxy');
    expect(second).toContain('  mode http\n  bind 0.0.0.0:80\n  bind [::]:80 v6only\n  balance roundrobin\n');
    expect(second).toMatch(/server-template s 1-3 .* send-proxy-v2 check-send-proxy$/m);
  });

  test('without IPv6 nothing listens there', () => {
    const text = render(`${web}bind web * 80\nbind web 2001:db8::1 81\n`, { FIRN_IPV6: 'false' });
    expect(sections(text)[0]).not.toContain('[');
  });

  test.each([
    'frontend a TCP leastconn 20 PLAIN default ingress https extra\nbind a * 1\n',
    'frontend a TCP leastconn;x 20 PLAIN default ingress https\nbind a * 1\n',
    'frontend a tcp leastconn 20 PLAIN default ingress https\nbind a * 1\n',
    'frontend a TCP leastconn 0 PLAIN default ingress https\nbind a * 1\n',
    'frontend a TCP leastconn 1e9 PLAIN default ingress https\nbind a * 1\n',
    'frontend a TCP leastconn 20 PLAIN default in.gress https\nbind a * 1\n',
    'frontend a TCP leastconn 20 PLAIN default $ingress https\nbind a * 1\n',
    'frontend "a TCP leastconn 20 PLAIN default ingress https\nbind "a * 1\n',
    'frontend a TCP leastconn 20 PLAIN default ingress https\nbind a unix@/x 1\n',
    'frontend a TCP leastconn 20 PLAIN default ingress https\nbind a * 65536\n',
    'frontend a TCP leastconn 20 PLAIN default ingress https\nbind a * 80,1.2.3.4:90\n',
    'bind web * 80\n',
    'global\n  stats socket /x\n',
    `${web}`,
  ])('%j is no frontend', (lines) => {
    expect(sections(render(lines))).toEqual([]);
    expect(render(lines)).toBe(render(''));
  });

  test('without a file there is nothing to serve, and that is well', () => {
    expect(sections(render(null))).toEqual([]);
  });
});
