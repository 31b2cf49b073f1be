import { readFileSync } from 'node:fs';
import { Agent, request } from 'undici';
import { parse } from 'yaml';
import type { TestCluster } from './cluster.ts';

export type Answer = { status: number; body: Record<string, unknown> & { message?: string } };

/** Bare requests as an administrator, for tests of what the API server itself says. */
export type RawApi = AsyncDisposable & {
  send(method: 'GET' | 'POST' | 'PUT' | 'PATCH', path: string, body?: unknown): Promise<Answer>;
};

type Kubeconfig = {
  clusters: { cluster: { server: string; 'certificate-authority-data': string } }[];
  users: { user: { 'client-certificate-data': string; 'client-key-data': string } }[];
};

export function rawApi(cluster: TestCluster): RawApi {
  const config = parse(readFileSync(cluster.kubeconfig, 'utf8')) as Kubeconfig;
  const { user } = config.users[0]!;
  const decode = (data: string) => Buffer.from(data, 'base64').toString('utf8');
  const dispatcher = new Agent({
    connections: 4,
    connect: {
      ca: decode(config.clusters[0]!.cluster['certificate-authority-data']),
      cert: decode(user['client-certificate-data']),
      key: decode(user['client-key-data']),
    },
  });
  return {
    async send(method, path, body) {
      const headers = { 'content-type': 'application/json', accept: 'application/json' };
      const answer = await request(`${config.clusters[0]!.cluster.server}${path}`, {
        method,
        headers,
        body: body === undefined ? null : JSON.stringify(body),
        dispatcher,
        bodyTimeout: 30_000,
        headersTimeout: 30_000,
      });
      return { status: answer.statusCode, body: (await answer.body.json()) as Answer['body'] };
    },
    [Symbol.asyncDispose]: () => dispatcher.close(),
  };
}

const generated = new URL('../../crds/generated/', import.meta.url).pathname;

/** Applies the generated CRDs and returns once they are served. */
export async function installCrds(cluster: TestCluster): Promise<void> {
  for (const args of [
    ['apply', '--server-side', '-f', generated],
    ['wait', '--for=condition=Established', '--timeout=30s', '-f', generated],
  ]) {
    const { code, stderr } = await cluster.kubectl(args);
    if (code !== 0) throw new Error(`kubectl ${args[0]}: ${stderr}`);
  }
}
