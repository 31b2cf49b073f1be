import { join } from 'node:path';
import type { ChildSpec } from './child.ts';
import { identityFiles } from './identity.ts';

/**
 * etcd answers on a socket in the data folder, which only its owner may enter: nobody else on the machine can read or
 * write the cluster's data. It insists on a port in the names, which are file names here, relative to the data folder
 * because a socket's path may have 107 bytes only (unix(7)).
 */
const clientSocket = 'etcd-client:0';
const peerSocket = 'etcd-peer:0';
export const etcdSockets = [clientSocket, peerSocket] as const;

export type Durability =
  /** What the API server acknowledged survives a power cut. */
  | 'disk'
  /** Quicker; for tests. */
  | 'memory';

export function etcdSpec(directory: string, program: string, durability: Durability): ChildSpec {
  return component(directory, 'etcd', program, [
    '--name=firn',
    '--data-dir=etcd',
    `--listen-client-urls=unix://${clientSocket}`,
    `--advertise-client-urls=unix://${clientSocket}`,
    `--listen-peer-urls=unix://${peerSocket}`,
    `--initial-advertise-peer-urls=unix://${peerSocket}`,
    `--initial-cluster=firn=unix://${peerSocket}`,
    '--log-level=warn',
    ...(durability === 'memory' ? ['--unsafe-no-fsync'] : []),
  ]);
}

export function apiserverSpec(directory: string, program: string, port: number): ChildSpec {
  return component(directory, 'kube-apiserver', program, [
    `--etcd-servers=unix://${clientSocket}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${port}`,
    // No Service leads here, and a loopback address would be refused as its endpoint.
    '--endpoint-reconciler-type=none',
    '--service-cluster-ip-range=10.96.0.0/16',
    `--tls-cert-file=${identityFiles.serving}`,
    `--tls-private-key-file=${identityFiles.servingKey}`,
    `--client-ca-file=${identityFiles.authority}`,
    '--anonymous-auth=false',
    '--authorization-mode=RBAC',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${identityFiles.serviceAccount}`,
    `--service-account-signing-key-file=${identityFiles.serviceAccountKey}`,
  ]);
}

const component = (
  directory: string,
  name: string,
  program: string,
  parameters: readonly string[],
): ChildSpec => ({
  name,
  program,
  arguments: parameters,
  directory,
  logFile: join(directory, `${name}.log`),
  pidFile: join(directory, `${name}.pid`),
});
