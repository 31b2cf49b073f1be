import { randomBytes } from 'node:crypto';
import type { Clock } from '../core/clock.ts';
import type { Call, CallProgress, HostProgram } from './call.ts';
import { beginCall, converse } from './call.ts';
import { withDeadline } from './deadline.ts';
import { dialer } from './dial.ts';
import type { Outcome } from './dialogue.ts';
import { forwardOnLease, streamOn } from './forward.ts';
import type { CallOptions, Host, Hosts, Target } from './host.ts';
import { HostError } from './host-error.ts';
import type { HostLimits } from './limits.ts';
import { Pool } from './pool.ts';
import type { Lease } from './pool-entry.ts';
import type { HostReply, HostRequest, Subcommand } from './protocol.ts';
import { readOutcome } from './reply.ts';
import { encodeRequest } from './request.ts';
import { nameOf, seconds } from './words.ts';

export type HostsOptions = {
  clock: Clock;
  program: HostProgram;
  limits: HostLimits;
  /** For the nonce of each call. */
  random?: (bytes: number) => Uint8Array;
  /** A logger such as pino's. It gets names, codes and durations, never what was sent or printed. */
  log?: { debug(fields: Record<string, unknown>, message: string): void };
};

/** The way to the hosts, over SSH. Close it in the end. */
export function createHosts(options: HostsOptions): Hosts {
  const { limits, clock } = options;
  const jumps = new Pool(limits, clock, dialer(limits, clock, null));
  const pool = new Pool(limits, clock, dialer(limits, clock, jumps));
  return {
    at: (target) => hostAt(target, pool, options),
    async forward(target, to, signal) {
      const lease = (want: 'pooled' | 'fresh') => pool.lease(target, want, signal);
      return streamOn(await forwardOnLease(lease, to, signal));
    },
    forget: (poolKey) => pool.forget(poolKey),
    close: async () => {
      await pool.close();
      await jumps.close();
    },
  };
}

function hostAt(target: Target, pool: Pool, options: HostsOptions): Host {
  return {
    get hostKey() {
      return pool.hostKeyOf(target);
    },
    async call(subcommand, request, callOptions) {
      const startedAt = options.clock.now();
      const log = (result: string): void =>
        options.log?.debug(
          { host: nameOf(target), subcommand, result, ms: options.clock.now() - startedAt },
          'host call',
        );
      try {
        const reply = await callHost(target, pool, options, subcommand, request, callOptions);
        log('ok');
        return reply;
      } catch (error) {
        log(error instanceof HostError ? error.code : 'aborted');
        throw error;
      }
    },
  };
}

async function callHost<S extends Subcommand>(
  target: Target,
  pool: Pool,
  options: HostsOptions,
  subcommand: S,
  request: HostRequest<S>,
  { signal, deadlineMs, newConnection }: CallOptions,
): Promise<HostReply<S>> {
  const call: Call = {
    endpoint: target,
    program: options.program,
    subcommand,
    request: encodeRequest(subcommand, request),
    payload: 'payload' in request && request.payload instanceof Uint8Array ? request.payload : null,
    nonce: Buffer.from((options.random ?? randomBytes)(16)).toString('hex'),
    replyBytes: options.limits.replyBytes,
  };
  const progress = beginCall(call);
  let connected = false;
  using deadline = withDeadline(options.clock, deadlineMs, signal, () =>
    tooLate(call, connected ? progress : null, deadlineMs),
  );
  const attempt = async (want: 'pooled' | 'fresh'): Promise<Outcome | 'stale'> => {
    const lease = await pool.lease(target, want, deadline.signal);
    connected = true;
    return onLease(lease, call, progress, options.clock, deadline.signal);
  };
  let outcome = await attempt(newConnection === true ? 'fresh' : 'pooled');
  // Nothing was sent on a connection that turned out dead, so a second one loses nothing.
  if (outcome === 'stale') outcome = await attempt('fresh');
  if (outcome === 'stale')
    throw new HostError('ConnectionLost', `the connection to ${nameOf(target)} was lost`);
  return readOutcome(subcommand, outcome, { endpoint: target, subcommand, stderr: progress.stderr });
}

/** One dialogue on a leased connection; `stale` when the connection was gone before anything was sent. */
async function onLease(
  lease: Lease,
  call: Call,
  progress: CallProgress,
  clock: Clock,
  signal: AbortSignal,
): Promise<Outcome | 'stale'> {
  const { connection } = lease;
  let leave = (): void => {};
  try {
    leave = await lease.gate.enter(signal);
    const channel = await connection.shell(clock, signal).catch((error: unknown) => {
      if (error instanceof HostError && error.code === 'ConnectionLost') return null;
      throw error;
    });
    if (channel === null) return 'stale';
    // The place in the queue is free when the other side has let go of the session, not when we have.
    channel.once('close', leave);
    leave = () => {};
    return await converse(channel, call, progress, () => connection.drained(), signal);
  } catch (error) {
    // A connection on which nothing comes back is not worth another call.
    if (signal.aborted && !progress.heard && signal.reason instanceof HostError) lease.retire();
    throw error;
  } finally {
    leave();
    lease.release();
  }
}

function tooLate(call: Call, progress: CallProgress | null, ms: number): HostError {
  const host = nameOf(call.endpoint);
  if (progress === null) {
    return new HostError('ConnectTimeout', `no login at ${host} within ${seconds(ms)}`);
  }
  const where = {
    shell: 'its shell does not answer',
    root: 'its root shell does not answer',
    program: 'the host program was being sent',
    running: 'the host program is at work',
    payload: 'the files were being sent',
  }[progress.dialogue.stage];
  return new HostError(
    'DeadlineExceeded',
    `${call.subcommand} on ${host} did not end within ${seconds(ms)}: ${where}`,
  );
}
