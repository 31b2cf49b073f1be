import { request } from 'node:https';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KeyedCertificate } from '../controllers/lib/pki/leaf.ts';
import type { Child } from './child.ts';

export type Login = { authority: string; admin: KeyedCertificate };

/**
 * Waits until `probe` says yes. Throws a sentence with the child's last lines where the child ends before, or where
 * `deadlineMs` pass.
 */
export async function waitUntil(
  child: Child,
  probe: () => Promise<boolean>,
  deadlineMs: number,
  signal: AbortSignal,
): Promise<void> {
  const began = Date.now();
  while (!(await probe())) {
    signal.throwIfAborted();
    const ending = child.ending();
    if (ending !== null) throw new Error(`${child.name} ended (${ending}):\n${child.lastLines(12)}`);
    if (Date.now() - began > deadlineMs) {
      throw new Error(`${child.name} was not ready within ${deadlineMs / 1000} s:\n${child.lastLines(12)}`);
    }
    await sleep(25, undefined, { signal });
  }
}

/** Whether something listens on a socket of the file system. */
export const listens = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });

/** Ready by its own word, and with the namespace `default`, which comes a moment later. */
export const apiserverReady = async (port: number, login: Login): Promise<boolean> =>
  (await answers(port, '/readyz', login)) && (await answers(port, '/api/v1/namespaces/default', login));

const answers = (port: number, path: string, { authority, admin }: Login): Promise<boolean> =>
  new Promise((resolve) => {
    const credentials = { ca: authority, cert: admin.certificate, key: admin.key.open() };
    const call = request({ host: '127.0.0.1', port, path, agent: false, timeout: 2000, ...credentials });
    call.once('response', (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    call.once('timeout', () => call.destroy());
    call.once('error', () => resolve(false));
    call.once('close', () => resolve(false));
    call.end();
  });
