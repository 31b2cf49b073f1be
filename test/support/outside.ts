/** An administrator outside of a cluster's hosts: kubectl with a kubeconfig for the endpoint. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildAsset } from '../../bootstrap/build.ts';
import { execute } from './hosts/command.ts';
import type { TestHost } from './hosts/start.ts';

export type Outside = Disposable & {
  kubectl(args: string[], input?: string): Promise<{ stdout: string; stderr: string; code: number }>;
  /** A kubectl that runs until it is ended. */
  start(args: string[]): ChildProcess;
};

/** With the administrator's certificate of a control-plane host, and the name that is in the API server's certificate. */
export async function outside(host: TestHost, endpointName: string): Promise<Outside> {
  const folder = mkdtempSync(join(tmpdir(), 'firn-outside-'));
  const pem = async (name: string) =>
    Buffer.from((await host.run(`cat /etc/kubernetes/pki/${name}`)).stdout).toString('base64');
  const cluster = {
    server: `https://${host.address}:6443`,
    'tls-server-name': endpointName,
    'certificate-authority-data': await pem('ca.crt'),
  };
  const user = {
    'client-certificate-data': await pem('admin.crt'),
    'client-key-data': await pem('admin.key'),
  };
  const kubeconfig = join(folder, 'kubeconfig');
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'c', cluster }],
      users: [{ name: 'u', user }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    }),
    { mode: 0o600 },
  );
  const program = await buildAsset('kubectl');
  const own = [`--kubeconfig=${kubeconfig}`, `--cache-dir=${join(folder, 'cache')}`];
  return {
    kubectl: (args, input = '') =>
      execute(program, [...own, ...args], { timeoutMs: 60_000, input, allowFailure: true }),
    start: (args) => spawn(program, [...own, ...args], { stdio: ['ignore', 'pipe', 'inherit'] }),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}
