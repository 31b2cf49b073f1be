import type { Duplex } from 'node:stream';
import type { Client, ClientChannel } from 'ssh2';
import type { Clock } from '../core/clock.ts';
import { abortable, pause } from './deadline.ts';
import type { SshEndpoint } from './host.ts';
import { HostError } from './host-error.ts';
import { forwardRefused } from './ssh-errors.ts';
import { nameOf, quoted } from './words.ts';

const sessionWaitsMs = [50, 100, 200, 400, 800, 1600];

/** A login that succeeded at a server whose key is trusted. */
export class Connection {
  /** As in known_hosts. */
  readonly hostKey: string;
  /** Resolves when the connection is gone, for whatever reason. */
  readonly gone: Promise<void>;
  readonly #client: Client;
  readonly #via: Duplex;
  readonly #endpoint: SshEndpoint;
  #alive = true;

  /** `client` is logged in, over `via`. */
  constructor(client: Client, via: Duplex, endpoint: SshEndpoint, hostKey: string) {
    this.hostKey = hostKey;
    this.#client = client;
    this.#via = via;
    this.#endpoint = endpoint;
    this.gone = new Promise((resolve) => {
      client.once('close', () => {
        this.#alive = false;
        resolve();
      });
    });
    // What ends a connection is reported here, too; `gone` and the channels tell the rest.
    client.on('error', () => via.destroy());
  }

  get alive(): boolean {
    return this.#alive;
  }

  /**
   * A channel that runs `/bin/sh`. Where the server opens none, it is asked again for a while: sshd counts sessions that
   * were closed and whose processes it has not yet waited for, so there may be too many (`MaxSessions`) for a moment.
   */
  async shell(clock: Clock, signal: AbortSignal): Promise<ClientChannel> {
    for (const waitMs of [...sessionWaitsMs, null]) {
      try {
        return await this.#open<ClientChannel>(
          signal,
          (callback) => this.#client.exec('/bin/sh', callback),
          ({ message }) =>
            new HostError('ShellUnusable', `${this.#name} opens no session for /bin/sh: ${quoted(message)}`),
        );
      } catch (error) {
        if (waitMs === null || !(error instanceof HostError) || error.code !== 'ShellUnusable') throw error;
        await pause(clock, waitMs, signal);
      }
    }
    throw new Error('the loop above has returned or thrown');
  }

  /** A byte stream to `host:port` as seen from there (RFC 4254 section 7.2). */
  forward(host: string, port: number, signal: AbortSignal): Promise<Duplex> {
    return this.#open<Duplex>(
      signal,
      (callback) => this.#client.forwardOut('127.0.0.1', 0, host, port, callback),
      (error) => forwardRefused(this.#endpoint, { host, port }, error),
    );
  }

  /** Resolves when what was written has left our memory, or the connection is gone. */
  drained(): Promise<void> {
    const via = this.#via;
    if (!this.#alive || !via.writableNeedDrain) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        via.off('drain', done);
        via.off('close', done);
        resolve();
      };
      via.on('drain', done);
      via.on('close', done);
    });
  }

  close(): void {
    this.#client.end();
    this.#via.destroy();
  }

  get #name(): string {
    return nameOf(this.#endpoint);
  }

  /** What ssh2 opens with a callback; closed again where it comes after the signal. */
  #open<T extends Duplex>(
    signal: AbortSignal,
    open: (callback: (error: Error | undefined, stream: T) => void) => void,
    refused: (error: Error) => HostError,
  ): Promise<T> {
    const lost = (): HostError => new HostError('ConnectionLost', `the connection to ${this.#name} was lost`);
    return abortable<T>(signal, (resolve, reject) => {
      let late = false;
      try {
        open((error, stream) => {
          if (error) reject(this.#alive ? refused(error) : lost());
          else if (late) stream.destroy();
          else resolve(stream);
        });
      } catch {
        reject(lost()); // ssh2 throws 'Not connected' from the socket's end on
      }
      return () => {
        late = true;
      };
    });
  }
}
