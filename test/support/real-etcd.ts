/**
 * Real members of etcd, as nix/modules/kubernetes/etcd.nix starts them, on addresses of loopback of their own, behind scripted
 * SSH hosts. Beside them, what nixnode does: it delivers the file that says how to begin, and mirrors what is seen of disks.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt, randomUUID } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildAsset } from '../../bootstrap/build.ts';
import { etcdSchema } from '../../controllers/lib/host/observed.ts';
import type { Authority } from '../../controllers/lib/pki/authority.ts';
import { issueLeaf } from '../../controllers/lib/pki/leaf.ts';
import { etcdClusterFile } from '../../controllers/nixcluster/etcd/file.ts';
import { etcdStatusOf } from '../../controllers/nixnode/member-status.ts';
import type { ClusterEtcd, NixNode } from '../../crds/index.ts';
import { nodeOf } from './cluster-objects.ts';
import { runSnippet } from './host-program/snippet.ts';
import { issuance } from './pki.ts';
import { keepSecret } from './secrets/registry.ts';
import type { ScriptedHost } from './ssh-server/scripted-hosts.ts';

const modules = join(import.meta.dirname, '../../nix/modules/kubernetes');
/** Another one for each run: several may be under way on one machine. */
const network = `127.${randomInt(100, 250)}.${randomInt(1, 250)}`;
/** As systemd waits before it starts a unit again. */
const restartMs = 300;

export class EtcdHost {
  readonly name: string;
  readonly address: string;
  readonly ssh: ScriptedHost;
  uid: string = randomUUID();
  /** The unit's state as the host's system has it; null before the first release. */
  transport: 'Socket' | 'TLS' | null = null;
  isPowered = true;
  isLeaving = false;
  status: NixNode['status'];
  readonly #folder = mkdtempSync(join(tmpdir(), 'firn-etcd-'));
  readonly #key: string;
  #clientPort = 0;
  #child: ChildProcess | null = null;
  #runs = false;

  constructor(name: string, index: number, ssh: ScriptedHost, key: string) {
    this.name = name;
    this.address = `${network}.${index}`;
    this.ssh = ssh;
    this.#key = key;
    for (const folder of ['lib/etcd', 'lib/firn-etcd', 'run', 'pki'])
      mkdirSync(join(this.#folder, folder), { recursive: true });
    writeFileSync(
      this.#script,
      ['etcd-identity.sh', 'etcd.sh'].map((file) => readFileSync(join(modules, file), 'utf8')).join(''),
    );
    // What `observe` says is read from this disk, at that moment.
    Object.defineProperty(ssh.state, 'etcd', { get: () => this.#observed(), set: () => {} });
  }

  get #script(): string {
    return join(this.#folder, 'firn-etcd');
  }

  /** Where the other members reach it. */
  get peerURL(): string {
    return `https://${this.address}:2380`;
  }

  get log(): string {
    const file = join(this.#folder, 'log');
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  }

  get dataFolder(): string {
    return join(this.#folder, 'lib/etcd');
  }

  async prepare(authority: Authority): Promise<void> {
    this.#clientPort = await freePort();
    this.ssh.ports.set(2379, this.#clientPort);
    const spec = {
      commonName: 'kube-etcd',
      dnsNames: ['localhost'],
      ipAddresses: ['127.0.0.1', this.address],
      ends: ['server auth', 'client auth'] as const,
      algorithm: 'ECDSA-P256' as const,
      lifetimeMs: 86_400_000,
    };
    const { certificate, key } = await issueLeaf(authority, spec, issuance());
    keepSecret(`etcd's key on ${this.name}`, key.open());
    for (const [file, text] of [
      ['ca.crt', authority.certificate],
      ['tls.crt', certificate],
      ['tls.key', key.open()],
    ] as const)
      writeFileSync(join(this.#folder, 'pki', file), text, { mode: 0o400 });
  }

  /** What the nixnode controller makes of a visit: nothing where the host is off. */
  visit(etcd: ClusterEtcd | undefined): void {
    const reachable = {
      type: 'Reachable',
      status: this.isPowered ? 'True' : 'False',
      ...{ reason: 'x', message: '', lastTransitionTime: '2026-11-21T10:00:00Z' },
    } as const;
    this.status = { ...this.status, conditions: [reachable] };
    if (!this.isPowered) return;
    this.status.etcd = etcdStatusOf(this.object(), { etcd: this.#observed() });
    const file = join(this.#folder, 'etcd-cluster');
    if (etcd?.initial?.for.includes(this.name)) writeFileSync(file, etcdClusterFile(etcd.initial));
    else rmSync(file, { force: true });
    if (etcd && etcd.transport !== this.transport) this.restart(etcd.transport);
  }

  object(): NixNode {
    const { address: host, port, hostKey } = this.ssh;
    const deletionTimestamp = this.isLeaving && { deletionTimestamp: '2026-11-21T10:00:00Z' };
    return nodeOf(this.name, {
      metadata: { uid: this.uid, ...deletionTimestamp },
      spec: {
        roles: ['control-plane'],
        ssh: { host, port, keyRef: { name: this.#key }, hostKeys: [hostKey] },
      },
      ...(this.status && { status: this.status }),
    });
  }

  restart(transport: 'Socket' | 'TLS'): void {
    this.transport = transport;
    this.stop();
    this.start();
  }

  start(): void {
    this.#runs = true;
    if (!this.#child) this.#spawn();
  }

  stop(): void {
    this.#runs = false;
    this.#child?.kill('SIGKILL');
    this.#child = null;
  }

  async powerOff(): Promise<void> {
    this.isPowered = false;
    this.stop();
    this.ssh.cut();
  }

  powerOn(): void {
    this.isPowered = true;
    if (this.transport !== null) this.start();
  }

  /** What lies on the disk of its data is gone; the unit comes up with an empty folder. */
  loseData(): void {
    this.stop();
    rmSync(this.dataFolder, { recursive: true });
    mkdirSync(this.dataFolder);
    if (this.isPowered) this.start();
  }

  async put(key: string, value: string): Promise<void> {
    await this.#request('put', { key: base64(key), value: base64(value) });
  }

  /** As a majority has it. */
  async get(key: string): Promise<string | undefined> {
    const { kvs } = await this.#request('range', { key: base64(key) });
    return kvs?.[0] && Buffer.from(kvs[0].value, 'base64').toString();
  }

  #request(path: string, body: object): Promise<{ kvs?: { value: string }[] }> {
    const pki = (file: string): Buffer => readFileSync(join(this.#folder, 'pki', file));
    const to =
      this.transport === 'Socket'
        ? { protocol: 'http:', socketPath: join(this.#folder, 'run/client:0') }
        : {
            protocol: 'https:',
            host: '127.0.0.1',
            port: this.#clientPort,
            ca: pki('ca.crt'),
            cert: pki('tls.crt'),
            key: pki('tls.key'),
          };
    const options = { ...to, path: `/v3/kv/${path}`, method: 'POST', timeout: 10_000, agent: false as const };
    return new Promise((resolve, reject) => {
      const call = (to.protocol === 'http:' ? http : https).request(options, (answer) => {
        answer.setEncoding('utf8');
        let text = '';
        answer.on('data', (piece) => {
          text += piece;
        });
        answer.on('end', () =>
          answer.statusCode === 200 ? resolve(JSON.parse(text)) : reject(new Error(text)),
        );
      });
      call.on('error', reject);
      call.end(JSON.stringify(body));
    });
  }

  /** What the guide has a user do on the survivor. */
  forceNewCluster(): void {
    this.stop();
    writeFileSync(join(this.#folder, 'lib/firn-etcd/force-new-cluster'), '');
    this.start();
  }

  remove(): void {
    this.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #observed() {
    const said = runSnippet(this.#folder, ['sh'], 'datastores=$PWD/lib\nobserve_etcd >&4');
    return etcdSchema.parse(JSON.parse(`{"x":0${said}}`).etcd);
  }

  #spawn(): void {
    const child = spawn('bash', [this.#script, program, ...this.flags()], {
      cwd: join(this.#folder, 'run'),
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env.PATH,
        FIRN_ETCD_CLUSTER: join(this.#folder, 'etcd-cluster'),
        FIRN_ETCD_DATA: this.dataFolder,
        FIRN_ETCD_MEMORY: join(this.#folder, 'lib/firn-etcd'),
        FIRN_ETCD_NAME: this.name,
        FIRN_ETCD_TRANSPORT: this.transport!,
      },
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr])
      stream!.on('data', (text) => {
        if (existsSync(this.#folder)) appendFileSync(join(this.#folder, 'log'), text);
      });
    child.once('exit', () => {
      if (this.#child !== child || !this.#runs) return;
      setTimeout(() => {
        if (this.#child === child && this.#runs) this.#spawn();
      }, restartMs);
    });
  }

  /** Those of etcd.nix; a port of its own for clients, since all hosts are one machine here. */
  flags(): string[] {
    const pki = join(this.#folder, 'pki');
    const client = `https://127.0.0.1:${this.#clientPort}`;
    const how =
      this.transport === 'Socket'
        ? { client: 'unix://client:0', peer: 'unix://peer:0' }
        : { client, peer: this.peerURL };
    const tls = ['', 'peer-'].flatMap((of) => [
      `--${of}cert-file=${pki}/tls.crt`,
      `--${of}key-file=${pki}/tls.key`,
      `--${of}trusted-ca-file=${pki}/ca.crt`,
      `--${of}client-cert-auth=true`,
    ]);
    return [
      `--name=${this.name}`,
      `--data-dir=${this.dataFolder}`,
      `--listen-client-urls=${how.client}`,
      `--advertise-client-urls=${how.client}`,
      `--listen-peer-urls=${how.peer}`,
      `--initial-advertise-peer-urls=${how.peer}`,
      ...(this.transport === 'TLS' ? [...tls, '--pre-vote=true'] : []),
      '--log-level=warn',
      '--unsafe-no-fsync',
    ];
  }
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const program = await buildAsset('etcd');

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
