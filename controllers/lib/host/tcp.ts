import { connect, type Socket } from 'node:net';
import { abortable } from './deadline.ts';
import { tcpFailed } from './ssh-errors.ts';

/** Throws `HostError` or the signal's reason; from then on the socket is the caller's. */
export function openTcp(to: { host: string; port: number }, signal: AbortSignal): Promise<Socket> {
  return abortable<Socket>(signal, (resolve, reject) => {
    // Nagle's algorithm would hold back the small packets of a dialogue for a round trip each.
    const socket = connect({ host: to.host, port: to.port, noDelay: true });
    const failed = (error: Error & { code?: string }): void => reject(tcpFailed(to, error));
    socket.once('error', failed);
    socket.once('connect', () => {
      socket.off('error', failed);
      resolve(socket);
    });
    return () => socket.destroy();
  });
}
