/**
 * etcd of a cluster that Firn made: its gRPC gateway, which is JSON over HTTPS, on a control-plane host's own loopback. Only
 * what membership needs. What it answers comes from outside: it is parsed, and bounded.
 */
import type { TLSSocket } from 'node:tls';
import { Client } from 'undici';
import { z } from 'zod';
import type { Clock } from '../core/clock.ts';
import { orAborted, withDeadline } from '../host/deadline.ts';
import type { Hosts } from '../host/host.ts';
import { HostError } from '../host/host-error.ts';
import type { Observation } from '../host/protocol.ts';
import { seconds } from '../host/words.ts';
import { UnreachableError } from '../kube/kube-error.ts';
import { tlsOver } from '../kube/stream-session.ts';
import type { ControlPlaneHost, TargetAccess } from './access.ts';
import type { Credentials } from './credentials.ts';
import {
  addReply,
  decimal,
  EtcdError,
  type EtcdListed,
  type EtcdStatus,
  listReply,
  refusal,
  statusReply,
} from './etcd-reply.ts';

/** Over which hosts, and by etcd's own authority. */
export type EtcdAccess = Pick<TargetAccess, 'key' | 'hosts' | 'authority'>;

/** One member's API. Everything but `status` and `files` needs a majority. Throws `EtcdError`, or the signal's reason. */
export type EtcdApi = {
  status(signal: AbortSignal): Promise<EtcdStatus>;
  /** As a majority has it now. */
  members(signal: AbortSignal): Promise<EtcdListed[]>;
  /** Returns the new member's ID. */
  addLearner(peerURL: string, signal: AbortSignal): Promise<string>;
  promote(id: string, signal: AbortSignal): Promise<void>;
  remove(id: string, signal: AbortSignal): Promise<void>;
  update(id: string, peerURL: string, signal: AbortSignal): Promise<void>;
  /** What the host itself has of etcd on its disk, at this moment. */
  files(signal: AbortSignal): Promise<Observation['etcd']>;
};

export type EtcdOptions = { hosts: Hosts; clock: Clock; credentials: Credentials };

const address = '127.0.0.1';
const port = 2379;
/** A member answers this from its memory. */
const statusMs = 5_000;
/** etcd itself gives up after seven seconds without a majority. */
const changeMs = 10_000;
const maxBytes = 1024 * 1024;

export function etcdOn(host: ControlPlaneHost, access: EtcdAccess, options: EtcdOptions): EtcdApi {
  const ask = <S extends z.ZodType>(
    path: string,
    body: unknown,
    reply: S,
    ms: number,
    signal: AbortSignal,
  ): Promise<z.output<S>> => call({ host, access, options, path, body, reply, ms, signal });
  const change = async (path: string, body: unknown, signal: AbortSignal): Promise<void> =>
    void (await ask(`cluster/member/${path}`, body, z.object({}), changeMs, signal));
  return {
    status: (signal) => ask('maintenance/status', {}, statusReply, statusMs, signal),
    members: async (signal) =>
      (await ask('cluster/member/list', { linearizable: true }, listReply, changeMs, signal)).members,
    async addLearner(peerURL, signal) {
      const body = { peerURLs: [peerURL], isLearner: true };
      return (await ask('cluster/member/add', body, addReply, changeMs, signal)).member.ID;
    },
    promote: (id, signal) => change('promote', { ID: decimal(id) }, signal),
    remove: (id, signal) => change('remove', { ID: decimal(id) }, signal),
    update: (id, peerURL, signal) => change('update', { ID: decimal(id), peerURLs: [peerURL] }, signal),
    async files(signal) {
      try {
        const seen = await options.hosts.at(host.target).call('observe', {}, { signal, deadlineMs: 30_000 });
        return seen.etcd;
      } catch (error) {
        throw asEtcdError(error, signal);
      }
    },
  };
}

type Call<S> = {
  host: ControlPlaneHost;
  access: EtcdAccess;
  options: EtcdOptions;
  path: string;
  body: unknown;
  reply: S;
  ms: number;
  signal: AbortSignal;
};

async function call<S extends z.ZodType>({ path, body, reply, ms, signal, ...to }: Call<S>) {
  using deadline = withDeadline(
    to.options.clock,
    ms,
    signal,
    () => new EtcdError('Silent', `it does not answer within ${seconds(ms)}`),
  );
  let socket: TLSSocket | undefined;
  try {
    socket = await connect(to, deadline.signal);
    const { status, text } = await orAborted(post(socket, path, body, deadline.signal), deadline.signal);
    if (status !== 200) throw refusal(text);
    const parsed = reply.safeParse(JSON.parse(text));
    if (!parsed.success) throw new EtcdError('Refused', 'it answers something else than etcd does');
    return parsed.data;
  } catch (error) {
    throw asEtcdError(error, deadline.signal);
  } finally {
    socket?.destroy();
  }
}

async function connect(
  { host, access, options }: Pick<Call<unknown>, 'host' | 'access' | 'options'>,
  signal: AbortSignal,
): Promise<TLSSocket> {
  const identity = await options.credentials.identity(access.authority);
  const stream = await options.hosts.forward(host.target, { host: address, port }, signal);
  return tlsOver(stream, address, identity, signal);
}

/**
 * One connection for one question: they are few, and the way there is kept. undici waits for ever for one that was closed
 * before it got it, signal or not.
 */
async function post(socket: TLSSocket, path: string, body: unknown, signal: AbortSignal) {
  const client = new Client(`https://${address}:${port}`, {
    // Not at once: while it asks, the client does not listen yet.
    connect: (_, callback) =>
      queueMicrotask(() => (socket.destroyed ? callback(new Error('closed'), null) : callback(null, socket))),
    maxResponseSize: maxBytes,
  });
  try {
    const answer = await client.request({
      method: 'POST',
      path: `/v3/${path}`,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal,
    });
    return { status: answer.statusCode, text: await answer.body.text() };
  } finally {
    // Not awaited: it waits for the end of a connection that may have ended before.
    client.destroy().catch(() => undefined);
  }
}

function asEtcdError(error: unknown, signal: AbortSignal): unknown {
  if (error instanceof EtcdError) return error;
  if (signal.aborted) return signal.reason;
  if (error instanceof HostError || error instanceof UnreachableError)
    return new EtcdError('Silent', error.message, error);
  if (error instanceof SyntaxError)
    return new EtcdError('Refused', 'it answers something else than etcd does', error);
  const { code } = error as { code?: unknown };
  return new EtcdError(
    'Silent',
    `it breaks off (${typeof code === 'string' ? code : 'no reason given'})`,
    error,
  );
}
