import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';
import { type Probe, probe } from './probe.ts';

/** What the next request of its sort meets, once. */
export type Fault =
  /** Answered with this status and nothing else. */
  | { fault: 'refuse'; status: number; reason?: string; retryAfterSeconds?: number }
  /** The watch begins, then says that its version is too old. */
  | { fault: 'gone event' }
  | { fault: 'line'; text: string }
  /** Accepted and never heard of again: no bytes, no end. */
  | { fault: 'black hole' }
  /** Cut off in the middle of an event. */
  | { fault: 'reset' }
  | { fault: 'end at once' }
  | { fault: 'slow'; ms: number };

export type SeenRequest = { sort: 'list' | 'watch'; query: Record<string, string>; at: number };
type HistoryEvent = { version: number; type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: Probe };
type Watch = { response: ServerResponse; muted: boolean };

/**
 * Lists and watches of Probes over real HTTP, as kube-apiserver serves them: versions, pages, history,
 * compaction, bookmarks, timeouts. It does nothing wrong but what its script of faults says.
 */
export class FaultApiserver {
  /** Taken one by one, from the front. */
  readonly faults: { list: Fault[]; watch: Fault[] } = { list: [], watch: [] };
  readonly requests: SeenRequest[] = [];
  /** How much faster than real time its watches end, for clients whose clock is as fast. */
  readonly #speed: number;
  readonly #objects = new Map<string, Probe>();
  readonly #sockets = new Set<Socket>();
  readonly #watches = new Set<Watch>();
  readonly #server: Server;
  #history: HistoryEvent[] = [];
  #version = 100;
  #compacted = 0;
  #port = 0;

  constructor(options: { speed: number }) {
    this.#speed = options.speed;
    this.#server = createServer((request, response) => void this.#answer(request, response));
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => undefined);
    });
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(this.#port, '127.0.0.1', resolve));
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** As a crash would have it: no connection is closed properly. May be started again, on the same port. */
  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.resetAndDestroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  /** Open connections. */
  get connections(): number {
    return this.#sockets.size;
  }

  config(): KubeConfig {
    const config = new KubeConfig();
    const server = `http://127.0.0.1:${this.#port}`;
    config.loadFromClusterAndUser({ name: 'faulty', server, skipTLSVerify: true }, { name: 'test' });
    return config;
  }

  put(name: string, value: string): void {
    const known = this.#objects.has(name);
    const object = probe(name, value, { resourceVersion: String(++this.#version) });
    this.#objects.set(name, object);
    this.#happen({ version: this.#version, type: known ? 'MODIFIED' : 'ADDED', object });
  }

  remove(name: string): void {
    const object = this.#objects.get(name)!;
    this.#objects.delete(name);
    const last = { ...object, metadata: { ...object.metadata, resourceVersion: String(++this.#version) } };
    this.#happen({ version: this.#version, type: 'DELETED', object: last });
  }

  /** Forgets its history: older versions are gone (410). */
  compact(): void {
    this.#compacted = this.#version;
    this.#history = [];
  }

  /** Versions go on without any event that concerns this kind; only bookmarks tell. */
  age(versions: number): void {
    this.#version += versions;
  }

  bookmark(): void {
    const object = {
      kind: 'Probe',
      apiVersion: 'test.firn.dev/v1',
      metadata: { resourceVersion: String(this.#version) },
    };
    for (const watch of this.#watches) write(watch, { type: 'BOOKMARK', object });
  }

  /** A backup is restored: what is left is what `objects` says, and versions begin again below what was told. */
  restore(objects: Record<string, string>): void {
    this.#objects.clear();
    this.#history = [];
    this.#compacted = 0;
    this.#version = 10;
    for (const [name, value] of Object.entries(objects)) this.put(name, value);
    for (const { response } of this.#watches) response.destroy();
  }

  #happen(event: HistoryEvent): void {
    this.#history.push(event);
    for (const watch of this.#watches) write(watch, event);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://faulty');
    const query = Object.fromEntries(url.searchParams);
    const sort = query.watch ? 'watch' : 'list';
    this.requests.push({ sort, query, at: performance.now() });
    const fault = this.faults[sort].shift();
    if (fault?.fault === 'refuse') return refuse(response, fault.status, fault);
    if (fault?.fault === 'slow') await new Promise((resolve) => setTimeout(resolve, fault.ms));
    if (sort === 'list') this.#list(query, response, fault);
    else this.#watch(query, response, fault);
  }

  #list(query: Record<string, string>, response: ServerResponse, fault: Fault | undefined): void {
    if (fault?.fault === 'black hole') return;
    const [version, start] = query.continue ? query.continue.split(':').map(Number) : [this.#version, 0];
    const limit = Number(query.limit ?? 500);
    const items = [...this.#objects.values()].slice(start, start! + limit);
    const next = start! + limit < this.#objects.size ? `${version}:${start! + limit}` : '';
    response.setHeader('content-type', 'application/json');
    response.end(
      JSON.stringify({
        kind: 'ProbeList',
        metadata: { resourceVersion: String(version), continue: next },
        items,
      }),
    );
  }

  #watch(query: Record<string, string>, response: ServerResponse, fault: Fault | undefined): void {
    const from = Number(query.resourceVersion);
    if (from < this.#compacted) refuse(response, 410, { reason: 'Expired' });
    else if (from > this.#version) refuse(response, 504, { reason: 'Timeout' });
    else this.#follow(from, Number(query.timeoutSeconds), response, fault);
  }

  #follow(from: number, timeoutSeconds: number, response: ServerResponse, fault: Fault | undefined): void {
    response.setHeader('content-type', 'application/json');
    response.flushHeaders();
    const watch: Watch = { response, muted: fault?.fault === 'black hole' };
    this.#watches.add(watch);
    response.on('close', () => this.#watches.delete(watch));
    for (const event of this.#history) if (event.version > from) write(watch, event);
    if (fault) misbehave(watch, fault);
    const timeout = setTimeout(() => response.end(), (timeoutSeconds * 1000) / this.#speed);
    response.on('close', () => clearTimeout(timeout));
    if (watch.muted) clearTimeout(timeout);
  }
}

function misbehave(watch: Watch, fault: Fault): void {
  const { response } = watch;
  switch (fault.fault) {
    case 'gone event':
      write(watch, {
        type: 'ERROR',
        object: { kind: 'Status', status: 'Failure', code: 410, reason: 'Expired' },
      });
      response.end();
      return;
    case 'line':
      response.write(`${fault.text}\n`);
      return;
    case 'reset':
      response.write('{"type":"ADDED","object":{"metada', () => response.socket?.resetAndDestroy());
      return;
    case 'end at once':
      response.end();
  }
}

function write(watch: Watch, event: { type: string; object: unknown }): void {
  if (!watch.muted) watch.response.write(`${JSON.stringify({ type: event.type, object: event.object })}\n`);
}

function refuse(
  response: ServerResponse,
  status: number,
  how: { reason?: string; retryAfterSeconds?: number },
): void {
  const details =
    how.retryAfterSeconds === undefined ? {} : { details: { retryAfterSeconds: how.retryAfterSeconds } };
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(
    JSON.stringify({
      kind: 'Status',
      status: 'Failure',
      code: status,
      reason: how.reason ?? 'Refused',
      ...details,
    }),
  );
}
