import { createHash } from 'node:crypto';
import type { RequestOptions } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';
import { Agent, type Dispatcher } from 'undici';
import type { Clock } from '../core/clock.ts';

/** What a request needs to reach the server as somebody. */
export type Session = {
  readonly server: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly dispatcher: Dispatcher;
  /** Bytes of an answer beyond which it is broken off; absent: the server is trusted to keep measure. */
  readonly maxBytes?: number;
};

/** Where sessions come from. */
export type SessionSource = {
  /** For one request. */
  current(): Promise<Session>;
  /** After a 401 or a connection that failed: the next request must not rely on what the last one did. */
  doubt(): void;
  /** Breaks off whatever is under way. */
  close(): Promise<void>;
};

/** Tokens and certificates on disk are looked at this often; the kubelet renews them long before they end. */
const refreshMs = 30_000;
const connectDeadlineMs = 10_000;
/** A failure makes us read everything again, but an outage must not run an exec plugin in a loop. */
const reloadMs = 1_000;

/**
 * Keeps one connection pool for as long as TLS material stays the same. Credentials come from client-node:
 * certificates, tokens, files, in-cluster, exec plugins, OIDC, proxies.
 */
export class Sessions implements SessionSource {
  readonly #load: () => KubeConfig;
  readonly #clock: Clock;
  #config: KubeConfig;
  #loadedAt: number;
  #freshUntil = 0;
  #material = '';
  #dispatcher: Dispatcher | undefined;
  #current: Promise<Session> | undefined;

  constructor(load: () => KubeConfig, clock: Clock) {
    this.#load = load;
    this.#clock = clock;
    this.#config = load();
    this.#loadedAt = clock.now();
  }

  current(): Promise<Session> {
    if (this.#current === undefined || this.#clock.now() >= this.#freshUntil) {
      this.#freshUntil = this.#clock.now() + refreshMs;
      this.#current = this.#open();
      // A plugin that failed must be asked again by the next request, not remembered for half a minute.
      this.#current.catch(() => this.doubt());
    }
    return this.#current;
  }

  /** After a 401 or a connection that failed: the next request reads configuration and credentials anew. */
  doubt(): void {
    if (this.#clock.now() - this.#loadedAt < reloadMs) return;
    this.#freshUntil = 0;
    this.#loadedAt = this.#clock.now();
    try {
      this.#config = this.#load();
    } catch {
      // A kubeconfig that is being replaced: the former one serves until the next doubt.
    }
  }

  async close(): Promise<void> {
    await this.#dispatcher?.destroy();
  }

  async #open(): Promise<Session> {
    const cluster = this.#config.getCurrentCluster();
    if (!cluster) throw new Error('the kubeconfig has no current cluster');
    const options: RequestOptions = {};
    await this.#config.applyToHTTPSOptions(options);
    const material = fingerprint(cluster.server, cluster.proxyUrl, options);
    if (material !== this.#material || this.#dispatcher === undefined) {
      const former = this.#dispatcher;
      this.#dispatcher = cluster.proxyUrl ? await this.#proxied() : direct(options);
      this.#material = material;
      // Not awaited: a watch on the former pool ends by itself within its own deadline.
      former?.close().catch(() => undefined);
    }
    return {
      server: cluster.server.replace(/\/+$/, ''),
      headers: headersOf(options),
      dispatcher: this.#dispatcher,
    };
  }

  /** Through a proxy of the kubeconfig, HTTP or SOCKS: client-node knows how. */
  async #proxied(): Promise<Dispatcher> {
    let made: Dispatcher | undefined;
    const context = {
      setHeaderParam: () => undefined,
      setDispatcher: (dispatcher: Dispatcher) => {
        made = dispatcher;
      },
    };
    type Expected = Parameters<KubeConfig['applySecurityAuthentication']>[0];
    await this.#config.applySecurityAuthentication(context as unknown as Expected);
    return made ?? new Agent();
  }
}

/**
 * HTTP/1.1: a connection that died hurts the one request on it, whose deadline closes it. Over HTTP/2 all
 * requests would share it, and a deadline that passes on one of them leaves it open for the next.
 */
function direct({ ca, cert, key, servername, rejectUnauthorized }: RequestOptions): Agent {
  const given = Object.entries({ ca, cert, key, servername, rejectUnauthorized });
  const tls = Object.fromEntries(given.filter(([, value]) => value !== undefined));
  const connect = { ...tls, keepAlive: true, keepAliveInitialDelay: 30_000, timeout: connectDeadlineMs };
  return new Agent({ allowH2: false, connect });
}

function headersOf(options: RequestOptions): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    // Token files end with a newline, which is not allowed in a header.
    headers[name.toLowerCase()] = String(value).trim();
  }
  if (options.auth) headers.authorization = `Basic ${Buffer.from(options.auth).toString('base64')}`;
  return headers;
}

function fingerprint(server: string, proxy: string | undefined, options: RequestOptions): string {
  const hash = createHash('sha256');
  for (const part of [server, proxy, options.ca, options.cert, options.key, options.servername]) {
    hash.update(`${String(part ?? '')}\0`);
  }
  return hash.update(String(options.rejectUnauthorized)).digest('hex');
}
