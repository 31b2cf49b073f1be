import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock } from '../core/clock.ts';
import type { Connection } from './connection.ts';
import { abortable, withDeadline } from './deadline.ts';
import type { SshEndpoint, Target } from './host.ts';
import { HostError } from './host-error.ts';
import type { HostLimits } from './limits.ts';
import { login, type Progress } from './login.ts';
import { connectTimeout, tcpFailed } from './ssh-errors.ts';
import { nameOf } from './words.ts';

/** Opens a connection to a target, through its jump host where it has one. Throws `HostError` or the signal's reason. */
export async function dial(
  target: Target,
  limits: HostLimits,
  clock: Clock,
  signal: AbortSignal,
): Promise<Connection> {
  const progress: Progress = { step: 'the TCP connection was not answered' };
  using deadline = withDeadline(clock, limits.connectMs, signal, () =>
    connectTimeout(target, limits.connectMs, progress.step),
  );
  if (target.jump === undefined) {
    const via = await openTcp(target, deadline.signal);
    // Not without `await`: the deadline ends with this scope.
    return await login(target, via, progress, limits, deadline.signal);
  }
  const jump = await dialJump(target.jump, progress, limits, deadline.signal);
  try {
    progress.step = `the jump host ${nameOf(target.jump)} has not connected to it`;
    const via = await jump.forward(target.host, target.port, deadline.signal);
    const connection = await login(target, via, progress, limits, deadline.signal);
    void connection.gone.then(() => jump.close());
    return connection;
  } catch (error) {
    jump.close();
    throw error;
  }
}

/** The first leg: its errors say so, whatever they are. */
async function dialJump(
  jump: SshEndpoint,
  progress: Progress,
  limits: HostLimits,
  signal: AbortSignal,
): Promise<Connection> {
  const leg: Progress = {
    get step() {
      return progress.step;
    },
    set step(step) {
      progress.step = `at the jump host ${nameOf(jump)} ${step}`;
    },
  };
  try {
    leg.step = 'the TCP connection was not answered';
    return await login(jump, await openTcp(jump, signal), leg, limits, signal);
  } catch (error) {
    if (signal.aborted || !(error instanceof HostError)) throw error;
    throw new HostError('JumpFailed', `at the jump host: ${error.message}`, { cause: error });
  }
}

function openTcp(endpoint: SshEndpoint, signal: AbortSignal): Promise<Duplex> {
  return abortable<Duplex>(signal, (resolve, reject) => {
    // Nagle's algorithm would hold back the small packets of a dialogue for a round trip each.
    const socket = connect({ host: endpoint.host, port: endpoint.port, noDelay: true });
    const failed = (error: Error & { code?: string }): void => reject(tcpFailed(endpoint, error));
    socket.once('error', failed);
    socket.once('connect', () => {
      socket.off('error', failed);
      resolve(socket);
    });
    return () => socket.destroy();
  });
}
