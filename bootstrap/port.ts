import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { writePrivate } from './private-file.ts';

/**
 * The API server's port: the one asked for, else the one that it had before, else a free one. It is kept in the data
 * folder, so that a kubeconfig stays true over restarts.
 */
export async function choosePort(
  directory: string,
  asked: number | undefined,
  report: (line: string) => void,
): Promise<number> {
  const before = lastPort(directory);
  const wanted = asked ?? before ?? 0;
  let port = await freePort(wanted);
  if (port === null && asked !== undefined) throw new Error(`port ${asked} of 127.0.0.1 is in use`);
  if (port === null) {
    port = await freePort(0);
    report(`port ${wanted}, used before, is taken by another program; the API server listens on ${port} now`);
  }
  if (port === null) throw new Error('127.0.0.1 has no free port');
  writePrivate(directory, 'port', `${port}\n`);
  return port;
}

function lastPort(directory: string): number | undefined {
  try {
    const port = Number(readFileSync(join(directory, 'port'), 'utf8'));
    return Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined;
  } catch {
    return undefined;
  }
}

/** `wanted` if it is free, any for 0; null where it is taken. */
export const freePort = (wanted: number): Promise<number | null> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(null));
    server.listen({ host: '127.0.0.1', port: wanted, exclusive: true }, () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
