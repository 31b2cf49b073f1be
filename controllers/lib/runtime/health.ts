import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';

export type HealthOptions = {
  host: string;
  /** 0: any free one. */
  port: number;
  registry: Registry;
  /** What is not ready, in words; empty when all is. */
  unready: () => string[];
};

export type HealthServer = { port: number; close(): Promise<void> };

/** `/healthz` (the process answers), `/readyz` (all caches are synced), `/metrics` (Prometheus). */
export async function serveHealth(options: HealthOptions): Promise<HealthServer> {
  const server = createServer((request, response) => {
    answer(request.url ?? '/', options, response).catch(() => response.destroy());
  });
  server.requestTimeout = 10_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  return { port: (server.address() as AddressInfo).port, close: () => close(server) };
}

async function answer(url: string, options: HealthOptions, response: ServerResponse): Promise<void> {
  const say = (status: number, text: string) =>
    response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(text);
  switch (url.split('?')[0]) {
    case '/healthz':
      say(200, 'ok\n');
      return;
    case '/readyz': {
      const unready = options.unready();
      say(unready.length === 0 ? 200 : 503, unready.length === 0 ? 'ok\n' : `${unready.join('\n')}\n`);
      return;
    }
    case '/metrics': {
      const text = await options.registry.metrics();
      response.writeHead(200, { 'content-type': options.registry.contentType }).end(text);
      return;
    }
    default:
      say(404, 'not found\n');
  }
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
