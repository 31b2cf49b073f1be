import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  certificatesSchema,
  etcdSchema,
  frontendsSchema,
  wireguardSchema,
} from '../../../controllers/lib/host/observed.ts';
import { observationSchema } from '../../../controllers/lib/host/protocol.ts';
import { runSnippet, shells } from '../../support/host-program/snippet.ts';
import { noDatastore } from '../../support/ssh-server/state.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'firn-observe-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(path: string, content: string | Uint8Array, mode = 0o644): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), content, { mode });
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const pem = (body: string, end = '\n'): string =>
  ['-----BEGIN CERTIFICATE-----', ...(body.match(/.{1,64}/g) ?? []), '-----END CERTIFICATE-----', ''].join(
    end,
  );
const der = (bytes: number): string => randomBytes(bytes).toString('base64');
const key = (): string => randomBytes(32).toString('base64');
const here = 'state=$PWD/state runtime=$PWD/run';

describe.each(shells)('in $name', ({ shell }) => {
  const id = '0123456789ab';
  const hash = 'a'.repeat(64);

  /** A current release with the files given, by path. */
  function release(files: Record<string, string | Uint8Array>, manifest = '{}'): void {
    write(`state/releases/${id}/parts`, `${'1'.repeat(64)} ${'2'.repeat(64)} ${hash}\n`);
    write(`state/releases/${id}/manifest.json`, manifest);
    symlinkSync(`releases/${id}`, join(folder, 'state/current'));
    const index = Object.keys(files).map((path, n) => `f${n} 0400 root root ${base64(path)} - -\n`);
    write(`run/secrets/${hash}/index`, index.join(''));
    Object.values(files).forEach((content, n) => {
      write(`run/secrets/${hash}/f${n}`, content);
    });
  }

  const observed = (): { manifestB64: string; certificates: unknown } => {
    const said = JSON.parse(`{"x":0${runSnippet(folder, shell, `${here}\nobserve_release >&4`)}}`);
    const { manifestB64, certificates } = observationSchema.shape;
    return {
      manifestB64: manifestB64.parse(said.manifestB64),
      certificates: certificates.parse(said.certificates),
    };
  };

  test('the manifest and certificates of the current release, the first of each file', () => {
    const [leaf, chain, old] = [der(700), der(900), der(333)];
    release(
      {
        '/etc/kubernetes/pki/apiserver.crt': pem(leaf) + pem(chain),
        '/etc/kubernetes/pki/apiserver.key': `-----BEGIN PRIVATE KEY-----\n${der(48)}\n-----END PRIVATE KEY-----\n`,
        '/etc/ürl "q".crt': pem(old, '\r\n'),
        '/etc/x': randomBytes(5000),
      },
      '{ "id": "ü\\n" }',
    );
    expect(observed()).toEqual({
      manifestB64: '{ "id": "ü\\n" }',
      certificates: [
        { pathB64: '/etc/kubernetes/pki/apiserver.crt', certificate: leaf },
        { pathB64: '/etc/ürl "q".crt', certificate: old },
      ],
    });
  });

  test('what is no certificate is none, whatever it begins with', () => {
    const body = der(300);
    release({
      '/cut': pem(body).replace(/-----END.*/s, ''),
      '/empty': '',
      '/large': pem(der(6200)),
      '/one-line': `-----BEGIN CERTIFICATE-----\n${'A'.repeat(1_000_000)}`,
      '/other': ` ${pem(body)}`,
      '/quote': pem(`${body.slice(0, 60)}"},{"`),
      '/trusted': pem(body).replaceAll('CERTIFICATE', 'TRUSTED CERTIFICATE'),
      '/fine': pem(body),
    });
    expect(observed().certificates).toEqual([{ pathB64: '/fine', certificate: body }]);
  });

  test('more certificates than are asked for, and a manifest that is too large, are left out', () => {
    const files = Object.fromEntries(Array.from({ length: 70 }, (_, n) => [`/c${n}`, pem(der(60))]));
    release(files, `"${'x'.repeat(524_288)}"`);
    const { manifestB64, certificates } = observed();
    expect(manifestB64).toBe('');
    expect(certificates).toHaveLength(64);
  });

  test('without a release, and with one whose secrets were lost, there is nothing', () => {
    expect(observed()).toEqual({ manifestB64: '', certificates: [] });
    release({ '/fine': pem(der(60)) });
    rmSync(join(folder, `run/secrets/${hash}`), { recursive: true });
    expect(observed()).toEqual({ manifestB64: '{}', certificates: [] });
  });

  /** `wg` prints what it is given. */
  function mesh(dump: string, state: string | null): unknown {
    write('dump', dump);
    write('bin/wg', '#!/bin/sh\n[ "$*" = "show all dump" ] && exec cat "$(dirname "$0")/../dump"\n', 0o755);
    if (state !== null) write('run/mesh/state', state);
    const said = runSnippet(folder, shell, `${here} PATH=$PWD/bin:$PATH\nobserve_mesh >&4`);
    return wireguardSchema.parse(JSON.parse(`{"x":0${said}}`).wireguard);
  }
  const device = (name: string, port: number): string => `${name}\t${key()}\t${key()}\t${port}\toff\n`;

  test('a host without a mesh says nothing of one', () => {
    expect(mesh(device('wg0', 1), null)).toBeNull();
    mkdirSync(join(folder, 'state/wireguard'), { recursive: true });
    expect(mesh('', null)).toBeNull();
  });

  test('keys, devices and peers; those of other people are not ours', () => {
    const [first, second, peer, silent] = [key(), key(), key(), key()];
    write('state/wireguard/1.pub', `${first}\n`);
    write('state/wireguard/1.key', `${key()}\n`);
    write('state/wireguard/2.pub', second);
    write('state/wireguard/007.pub', key());
    write('state/wireguard/3.pub', 'not a key\n');
    write('state/wireguard/4.pub', `${key().slice(0, 42)}B=\n`);
    const dump = [
      device('wg0', 1),
      `wg0\t${key()}\t(none)\t192.0.2.1:1\t0.0.0.0/0\t1\t2\t3\toff\n`,
      device('lo', 51820),
      `lo\t${peer}\t${key()}\t[2001:db8::1]:51820\tfd88:2::/32,10.88.2.0/24\t1700000000\t12\t345678901234567890\t25\n`,
      `lo\t${silent}\t(none)\t(none)\t(none)\t0\t0\t0\toff\n`,
      device('wgkube-b', 51821),
    ];
    expect(mesh(dump.join(''), 'device 1 lo 1\ndevice 2 wgkube-b 0\n')).toEqual({
      keys: [
        { epoch: 1, publicKey: first },
        { epoch: 2, publicKey: second },
      ],
      devices: [
        {
          epoch: 1,
          device: 'lo',
          listenPort: 51820,
          mtu: expect.any(Number),
          active: true,
          peers: [
            [peer, 1_700_000_000, 12, 999_999_999_999_999],
            [silent, 0, 0, 0],
          ],
        },
        { epoch: 2, device: 'wgkube-b', listenPort: 51821, mtu: 0, active: false, peers: [] },
      ],
      problemB64: '',
    });
  });

  test('a problem is told, also where WireGuard says nothing', () => {
    const state = 'device 1 wgkube 1\nproblem the port 51820 is "taken"\nproblem $(id)\n';
    expect(mesh('', state)).toEqual({
      keys: [],
      devices: [],
      problemB64: 'the port 51820 is "taken"; $(id)',
    });
    expect(mesh('', '')).toEqual({ keys: [], devices: [], problemB64: '' });
  });

  test('of a very large mesh two thousand peers', () => {
    const peers = Array.from({ length: 2100 }, () => `lo\t${key()}\t(none)\t(none)\t(none)\t5\t6\t7\t25\n`);
    const said = mesh(device('lo', 51820) + peers.join(''), 'device 1 lo 1\n') as {
      devices: { peers: unknown[] }[];
    };
    expect(said.devices[0]?.peers).toHaveLength(2000);
  });

  /** `socat` answers with rows of HAProxy's statistics, of which the name, the server and the state matter. */
  async function frontends(rows: [string, string, string][]): Promise<unknown> {
    const server = createServer().listen(join(folder, 'socket'));
    await once(server, 'listening');
    const lines = rows.map(([name, server, state]) => `${name},${server},${','.repeat(14)},${state},1\n`);
    write('rows', `# pxname,svname\n${lines.join('')}\n`);
    write('bin/socat', '#!/bin/sh\nexec cat "$(dirname "$0")/../rows"\n', 0o755);
    const said = frontendsSaid('socket');
    server.close();
    return said;
  }
  const frontendsSaid = (socket: string): unknown => {
    const snippet = `PATH=$PWD/bin:$PATH frontends_socket=$PWD/${socket}\nobserve_frontends >&4`;
    return frontendsSchema.parse(JSON.parse(`{"x":0${runSnippet(folder, shell, snippet)}}`).frontends);
  };

  test('frontends with the pods that each knows, and that answer it', async () => {
    expect(
      await frontends([
        ['web', 's1', 'UP'],
        ['web', 's2', 'UP 1/2'],
        ['web', 's3', 'DOWN 1/2'],
        ['web', 's4', 'MAINT (resolution)'],
        ['a-b', 's1', 'no check'],
        ['idle', 's1', 'MAINT (resolution)'],
        ['"x', 's1', 'UP'],
        [`a${'b'.repeat(63)}`, 's1', 'UP'],
      ]),
    ).toEqual([
      { name: 'web', servers: 3, up: 2 },
      { name: 'a-b', servers: 1, up: 1 },
      { name: 'idle', servers: 0, up: 0 },
    ]);
    expect(frontendsSaid('nowhere')).toBeNull();
  });
});

describe.each(shells)('the datastore, in $name', ({ shell }) => {
  const etcd = () => {
    const said = runSnippet(folder, shell, `${here} datastores=$PWD/lib\nobserve_etcd >&4`);
    return etcdSchema.parse(JSON.parse(`{"x":0${said}}`).etcd);
  };
  /** As etcd 3.6.16 wrote it: the first two records, and what follows. */
  const log = (member = '08a3e1b89ed69283df2a', cluster = '10b4c6cdc9e88aaf9105') =>
    Buffer.from(
      `040000000000008408041000000000001d00000000000083080110d9abab4a1a14${member}${cluster}0000000e00000000000082`,
      'hex',
    );
  const wal = 'lib/etcd/member/wal/';

  test('a host that never was a control plane has nothing', () => {
    expect(etcd()).toEqual(noDatastore);
  });

  test('the IDs are those of the log, and what was remembered apart from it is told', () => {
    write(`${wal}0000000000000000-0000000000000000.wal`, 'cut');
    write(`${wal}0000000000000001-0000000000000abc.wal`, log());
    write(`${wal}0.tmp`, 'x'.repeat(99));
    write('lib/kine/state.db', '');
    write('lib/firn-etcd/started', 'start 1-a\ntransport TLS\n');
    expect(etcd()).toEqual({
      hasData: true,
      hasSQLite: true,
      clusterID: '522bc5689336334',
      memberID: '2abe0c9563ce30a3',
      started: '1-a',
      transport: 'TLS',
    });
  });

  test('all sixty-four bits', () => {
    write(`${wal}0-0.wal`, log('08ffffffffffffffffff01', '1080808080808080808001'));
    expect(etcd()).toMatchObject({ memberID: 'ffffffffffffffff', clusterID: '8000000000000000' });
  });

  test.each([
    ['nothing', Buffer.alloc(0)],
    ['zeros', Buffer.alloc(4096)],
    ['text', Buffer.from('"}'.repeat(99))],
    ['noise', Buffer.alloc(200, 0xff)],
    ['less than a record', log().subarray(0, 40)],
  ])('%s in place of a log is data of nobody', (_, content) => {
    write(`${wal}0-0.wal`, content);
    expect(etcd()).toEqual({ ...noDatastore, hasData: true });
  });

  test('what is remembered is a word, or nothing', () => {
    write(
      'lib/firn-etcd/started',
      `start a"b\nstart ${'a'.repeat(65)}\nstart\ntransport Pigeon\nstart $(id)\n`,
    );
    expect(etcd()).toEqual(noDatastore);
  });
});

test('the schemas have bounds of their own', () => {
  const certificate = { pathB64: base64('/x'), certificate: 'AAAA' };
  expect(certificatesSchema.safeParse(Array(64).fill(certificate)).success).toBe(true);
  expect(certificatesSchema.safeParse(Array(65).fill(certificate)).success).toBe(false);
  expect(certificatesSchema.safeParse([{ ...certificate, certificate: 'AAAA'.repeat(2049) }]).success).toBe(
    false,
  );
});
