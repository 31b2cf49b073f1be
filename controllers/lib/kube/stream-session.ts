import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect, type TLSSocket } from 'node:tls';
import { Agent, type Dispatcher } from 'undici';
import type { Clock } from '../core/clock.ts';
import type { Sealed } from '../core/sealed.ts';
import { UnreachableError } from './kube-error.ts';
import type { Session, SessionSource } from './session.ts';

/** Who we are to a server, and who may say to be that server. PEM. */
export type Identity = { ca: string; certificate: string; key: Sealed<string> };

export type StreamSessionOptions = {
  /** Asked before each request; the pool of connections is replaced when it returns another one. */
  identity: () => Promise<Identity>;
  /** A new connection over which TLS is spoken already. Throws `UnreachableError`. */
  connect: (identity: Identity, signal: AbortSignal) => Promise<TLSSocket>;
  /** Told when what was reached turned out not to answer. */
  onDoubt: () => void;
  clock: Clock;
};

/** The connections make the way; nothing is looked up by this name, which is one that every API server goes by. */
const server = 'https://kubernetes.default.svc';
/** Far above any page of a list, far below what would hurt: whoever runs the server decides what comes. */
const maxBytes = 64 * 1024 * 1024;
/** While a server is away each request doubts; one new pool does for all that fail together. */
const doubtMs = 1_000;

/** Sessions with one server to which the caller makes the connections, and the certificate. */
export class StreamSessions implements SessionSource {
  readonly #options: StreamSessionOptions;
  readonly #closing = new AbortController();
  #identity: Identity | undefined;
  #dispatcher: Dispatcher | undefined;
  #doubtedAt = Number.NEGATIVE_INFINITY;

  constructor(options: StreamSessionOptions) {
    this.#options = options;
  }

  async current(): Promise<Session> {
    const identity = await this.#options.identity();
    this.#closing.signal.throwIfAborted();
    if (identity !== this.#identity) this.#leave();
    this.#identity = identity;
    this.#dispatcher ??= this.#pool(identity);
    return { server, headers: {}, dispatcher: this.#dispatcher, maxBytes };
  }

  doubt(): void {
    if (this.#options.clock.now() - this.#doubtedAt < doubtMs) return;
    this.#doubtedAt = this.#options.clock.now();
    this.#options.onDoubt();
    this.#leave();
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('closed'));
    await this.#dispatcher?.destroy();
  }

  /** Not awaited: what is under way ends by itself, or within its own deadline. */
  #leave(): void {
    this.#dispatcher?.close().catch(() => undefined);
    this.#dispatcher = undefined;
  }

  #pool(identity: Identity): Agent {
    const { signal } = this.#closing;
    return new Agent({
      allowH2: false,
      connect: (_, callback) => {
        this.#options.connect(identity, signal).then(
          // undici waits for ever for one that was closed before it got it.
          (socket) =>
            socket.destroyed ? callback(new UnreachableError('closed'), null) : callback(null, socket),
          (error) => callback(error instanceof Error ? error : new Error('no connection'), null),
        );
      },
    });
  }
}

/**
 * TLS over a stream, which it owns from here on; `name` is what the certificate must be for. Throws `UnreachableError` or
 * the signal's reason.
 */
export function tlsOver(
  stream: Duplex,
  name: string,
  { ca, certificate, key }: Identity,
  signal: AbortSignal,
): Promise<TLSSocket> {
  // Addresses are looked for in the certificate, and are no name to ask a server for (RFC 6066, section 3).
  const checked = isIP(name) ? { host: name } : { host: name, servername: name };
  return new Promise((resolve, reject) => {
    const socket = connect({
      socket: stream,
      ...checked,
      ca,
      cert: certificate,
      key: key.open(),
      ALPNProtocols: ['http/1.1'],
    });
    const onAbort = (): void => void socket.destroy();
    const settled = (): void => signal.removeEventListener('abort', onAbort);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    const failed = (error: Error & { code?: string }): void => {
      settled();
      stream.destroy();
      reject(signal.aborted ? signal.reason : new UnreachableError(tlsWords(error.code), { cause: error }));
    };
    // They stay: until its user listens, an error would end the process.
    socket.on('error', failed);
    socket.once('close', () => failed(new Error('closed')));
    socket.once('secureConnect', () => {
      settled();
      resolve(socket);
    });
  });
}

/** Codes of Node and OpenSSL. */
const untrusted = new Set([
  'CERT_SIGNATURE_FAILURE',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

function tlsWords(code: string | undefined): string {
  if (code !== undefined && untrusted.has(code)) return "its certificate is not of the cluster's authority";
  switch (code) {
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return 'its certificate is for another name';
    case 'CERT_HAS_EXPIRED':
      return 'its certificate has ended';
    case 'CERT_NOT_YET_VALID':
      return 'its certificate is not valid yet: compare the clocks';
    case undefined:
    case 'ECONNRESET':
      return 'it closes the connection before TLS begins';
    default:
      return `TLS cannot be agreed on (${code})`;
  }
}
