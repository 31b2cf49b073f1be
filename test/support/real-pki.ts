/** A real etcd and kube-apiserver that start from the very files that hosts get, below a folder instead of /etc. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buildAsset } from '../../bootstrap/build.ts';
import type { Subject } from '../../controllers/clusterpki/leaves.ts';
import type { Material } from '../../controllers/clusterpki/material.ts';
import { sharedFilesOf } from '../../controllers/clusterpki/shared-files.ts';
import { eventually } from './eventually.ts';
import type { IssuedLeaf } from './pki.ts';
import { guardText } from './secrets/registry.ts';
import { type Answer, type Ask, fingerprintAt, send } from './tls-client.ts';

export type RealPki = AsyncDisposable & {
  folder: string;
  /** Of loopback. */
  port: number;
  apiserver(path: string, ask?: Ask): Promise<Answer>;
  etcd(path: string, ask?: Ask): Promise<Answer>;
  /** The certificate (SHA-256 in upper-case hex with colons) that a server shows. */
  shows(port: 'apiserver' | 'etcd'): Promise<string>;
  write(issued: IssuedLeaf): void;
  /** The API server goes away without a word. */
  killApiserver(): Promise<void>;
  /** It starts again, on the same port and data. */
  startApiserver(): Promise<void>;
};

export async function startRealPki(
  subject: Subject,
  material: Material,
  leaves: ReadonlyMap<string, IssuedLeaf>,
): Promise<RealPki> {
  const folder = mkdtempSync(join(tmpdir(), 'firn-pki-'));
  const below = (path: string) => join(folder, path.replace('/etc/kubernetes/', ''));
  const put = (path: string, content: string | Uint8Array, mode: number) => {
    mkdirSync(dirname(below(path)), { recursive: true });
    writeFileSync(below(path), content, { mode });
  };
  const write = ({ leaf, certificate, key }: IssuedLeaf) => {
    put(leaf.keyPath, key.open(), 0o600);
    put(leaf.certificatePath, certificate, 0o644);
  };
  for (const issued of leaves.values()) write(issued);
  for (const { path, content, mode } of sharedFilesOf(subject, material))
    put(path, content.open(), mode | 0o200);

  const [api, client, peer] = await Promise.all([freePort(), freePort(), freePort()]);
  const children: ChildProcess[] = [];
  const start = async (name: 'etcd' | 'kube-apiserver', flags: string[]) => {
    const log = openSync(join(folder, `${name}.log`), 'a');
    const child = spawn(await buildAsset(name), flags, { cwd: folder, stdio: ['ignore', log, log] });
    children.push(child);
    return child;
  };
  let serving: ChildProcess | undefined;
  const serve = async () => {
    serving = await start('kube-apiserver', apiserverFlags(api, client));
    await eventually(async () => {
      const ready = await real
        .apiserver('/readyz', { as: leaves.get('admin')! })
        .catch(() => ({ status: 0, body: {} }));
      // Once the API server has made its roles, everybody who is known may ask this.
      if (ready.status !== 200) throw new Error(`not ready: ${ready.status}\n${logs().slice(-4000)}`);
    }, 90_000);
  };
  const logs = () =>
    ['etcd', 'kube-apiserver'].map((name) => readFileSync(join(folder, `${name}.log`), 'utf8')).join('\n');
  const searched = guardText('logs of etcd and kube-apiserver', logs);
  const dispose = async () => {
    await searched();
    await Promise.all(children.map(stopped));
    rmSync(folder, { recursive: true, force: true });
  };
  const trust = { apiserver: material.authorities.cluster.trust, etcd: material.authorities.etcd.trust };
  const ports = { apiserver: api, etcd: client };
  const asking = (which: 'apiserver' | 'etcd') => (path: string, ask?: Ask) =>
    send(ports[which], trust[which], path, ask);
  const real: RealPki = {
    folder,
    port: api,
    apiserver: asking('apiserver'),
    etcd: asking('etcd'),
    shows: (which) =>
      fingerprintAt(
        ports[which],
        trust[which],
        which === 'etcd' ? leaves.get('apiserver-etcd-client') : undefined,
      ),
    write,
    killApiserver: async () => void (serving && (await stopped(serving))),
    startApiserver: serve,
    [Symbol.asyncDispose]: dispose,
  };
  try {
    await start('etcd', etcdFlags(client, peer));
    await serve();
  } catch (error) {
    await dispose();
    throw error;
  }
  return real;
}

const etcdFlags = (client: number, peer: number): string[] => [
  '--data-dir=etcd-data',
  '--name=node1',
  `--listen-client-urls=https://127.0.0.1:${client}`,
  `--advertise-client-urls=https://127.0.0.1:${client}`,
  `--listen-peer-urls=https://127.0.0.1:${peer}`,
  `--initial-advertise-peer-urls=https://127.0.0.1:${peer}`,
  `--initial-cluster=node1=https://127.0.0.1:${peer}`,
  '--unsafe-no-fsync',
  '--log-level=warn',
  '--cert-file=pki/etcd/server.crt',
  '--key-file=pki/etcd/server.key',
  '--client-cert-auth',
  '--trusted-ca-file=pki/etcd/ca.crt',
  '--peer-cert-file=pki/etcd/peer.crt',
  '--peer-key-file=pki/etcd/peer.key',
  '--peer-client-cert-auth',
  '--peer-trusted-ca-file=pki/etcd/ca.crt',
];

const apiserverFlags = (port: number, client: number): string[] => [
  '--bind-address=127.0.0.1',
  `--secure-port=${port}`,
  '--endpoint-reconciler-type=none',
  '--service-cluster-ip-range=10.88.0.0/24',
  `--etcd-servers=https://127.0.0.1:${client}`,
  '--etcd-cafile=pki/etcd/ca.crt',
  '--etcd-certfile=pki/apiserver-etcd-client.crt',
  '--etcd-keyfile=pki/apiserver-etcd-client.key',
  '--client-ca-file=pki/ca.crt',
  '--tls-cert-file=pki/apiserver.crt',
  '--tls-private-key-file=pki/apiserver.key',
  '--kubelet-client-certificate=pki/apiserver-kubelet-client.crt',
  '--kubelet-client-key=pki/apiserver-kubelet-client.key',
  '--proxy-client-cert-file=pki/front-proxy-client.crt',
  '--proxy-client-key-file=pki/front-proxy-client.key',
  '--requestheader-client-ca-file=pki/front-proxy-ca.crt',
  '--requestheader-allowed-names=front-proxy-client',
  '--requestheader-username-headers=X-Remote-User',
  '--requestheader-group-headers=X-Remote-Group',
  '--requestheader-extra-headers-prefix=X-Remote-Extra-',
  '--service-account-issuer=https://kubernetes.default.svc.k8s.internal',
  '--service-account-key-file=pki/sa.pub',
  '--service-account-signing-key-file=pki/sa.key',
  '--encryption-provider-config=pki/encryption-config.yaml',
  '--anonymous-auth=false',
  '--authorization-mode=Node,RBAC',
];

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });

async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}
