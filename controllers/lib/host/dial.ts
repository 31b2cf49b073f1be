import type { Duplex } from 'node:stream';
import type { Clock } from '../core/clock.ts';
import type { Connection } from './connection.ts';
import { withDeadline } from './deadline.ts';
import { forwardOnLease } from './forward.ts';
import type { SshEndpoint, Target } from './host.ts';
import { HostError } from './host-error.ts';
import type { HostLimits } from './limits.ts';
import { login, type Progress } from './login.ts';
import type { Dial, Pool } from './pool.ts';
import type { Lease } from './pool-entry.ts';
import { connectTimeout } from './ssh-errors.ts';
import { openTcp } from './tcp.ts';
import { nameOf } from './words.ts';

/**
 * Opens connections, those through a jump host over the jump host's connection in `jumps`: many hosts behind one share
 * it, since sshd drops connections when many begin at once (`MaxStartups`).
 */
export function dialer(limits: HostLimits, clock: Clock, jumps: Pool | null): Dial {
  return async (target, signal) => {
    const progress: Progress = { step: 'the TCP connection was not answered' };
    using deadline = withDeadline(clock, limits.connectMs, signal, () =>
      connectTimeout(target, limits.connectMs, progress.step),
    );
    // Not without `await` here: the deadline ends with this scope.
    if (target.jump === undefined || jumps === null) {
      const via = await openTcp(target, deadline.signal);
      return await login(target, via, progress, limits, deadline.signal);
    }
    return await overJump(target, target.jump, jumps, progress, limits, deadline.signal);
  };
}

async function overJump(
  target: Target,
  jump: SshEndpoint,
  jumps: Pool,
  progress: Progress,
  limits: HostLimits,
  signal: AbortSignal,
): Promise<Connection> {
  progress.step = `its jump host ${nameOf(jump)} does not connect to it`;
  const { lease, via } = await openForward(target, jump, jumps, signal);
  try {
    const connection = await login(target, via, progress, limits, signal);
    void connection.gone.then(lease.release);
    return connection;
  } catch (error) {
    lease.release();
    throw error;
  }
}

/** A stream to the target on the pooled connection to the jump host, or on a new one where that turns out to be dead. */
async function openForward(
  target: Target,
  jump: SshEndpoint,
  jumps: Pool,
  signal: AbortSignal,
): Promise<{ lease: Lease; via: Duplex }> {
  const lease = (want: 'pooled' | 'fresh'): Promise<Lease> =>
    jumps.lease({ ...jump, poolKey: nameOf(jump) }, want, signal).catch(asJumpError);
  try {
    return await forwardOnLease(lease, target, signal);
  } catch (error) {
    if (!(error instanceof HostError) || error.code !== 'ForwardFailed') throw error;
    throw new HostError('JumpFailed', `the jump host ${error.message}`, { cause: error });
  }
}

/** The first leg's errors say so, whatever they are. */
function asJumpError(error: unknown): never {
  if (!(error instanceof HostError)) throw error;
  throw new HostError('JumpFailed', `at the jump host: ${error.message}`, { cause: error });
}
