import { createServer } from 'node:net';
import { say } from './say.ts';

export type Lock = { release(): Promise<void> };

/**
 * A lock of the whole machine, by the name of an abstract unix socket (unix(7)): the kernel lets go of it when its
 * holder ends, however that happens, so that none is ever stale. Undefined: somebody else holds it.
 */
export function tryLock(name: string): Promise<Lock | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
    );
    server.listen(`\0firn-hosts/${name}`, () => {
      server.unref();
      resolve({ release: () => new Promise((done) => server.close(() => done())) });
    });
  });
}

/** Waits for the lock, and says so once. Rejects after `timeoutMs`. */
export async function waitForLock(name: string, timeoutMs: number): Promise<Lock> {
  const end = performance.now() + timeoutMs;
  for (let first = true; performance.now() < end; first = false) {
    const lock = await tryLock(name);
    if (lock !== undefined) return lock;
    if (first) say(`waiting for another process that makes ${name} …`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  throw new Error(`another process held ${name} for more than ${timeoutMs} ms`);
}
