import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { Clock } from '../core/clock.ts';
import { several } from '../core/several.ts';
import { withDeadline } from '../host/deadline.ts';
import type { Hosts } from '../host/host.ts';
import { HostError } from '../host/host-error.ts';
import { openTcp } from '../host/tcp.ts';
import { seconds } from '../host/words.ts';
import { UnreachableError } from '../kube/kube-error.ts';
import { type Identity, tlsOver } from '../kube/stream-session.ts';
import { nameOfWay, type Way } from './access.ts';
import type { WayMemory } from './ways.ts';

/** For one way, the login included: the next one may be better. */
const wayMs = 10_000;

/** A connection to an API server over the first way that leads to one. Throws `UnreachableError`, which says why each does not. */
export async function dialFirst(
  ways: readonly Way[],
  memory: WayMemory,
  identity: Identity,
  { hosts, clock, signal }: { hosts: Hosts; clock: Clock; signal: AbortSignal },
): Promise<TLSSocket> {
  const failures: string[] = [];
  for (const way of memory.order(ways)) {
    try {
      const socket = await dial(way, identity, { hosts, clock, signal });
      memory.worked(way);
      return socket;
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (!(error instanceof UnreachableError)) throw error;
      memory.failed(way);
      failures.push(error.message);
    }
  }
  // The order in which they were tried changes; what is said of the same state does not.
  throw new UnreachableError(several(failures.sort(), '; '));
}

async function dial(
  way: Way,
  identity: Identity,
  { hosts, clock, signal }: { hosts: Hosts; clock: Clock; signal: AbortSignal },
): Promise<TLSSocket> {
  using deadline = withDeadline(
    clock,
    wayMs,
    signal,
    () => new UnreachableError(`nothing answers within ${seconds(wayMs)}`),
  );
  try {
    const stream = await openStream(way, hosts, deadline.signal);
    return await tlsOver(stream, way.kind === 'SSH' ? way.address : way.host, identity, deadline.signal);
  } catch (error) {
    throw inWords(way, error);
  }
}

function inWords(way: Way, error: unknown): unknown {
  if (!(error instanceof HostError || error instanceof UnreachableError)) return error;
  const isHost = error instanceof HostError && error.code !== 'ForwardFailed' && way.kind === 'SSH';
  const what = isHost ? `the host of ${way.node} is not reached` : `${nameOfWay(way)} does not answer`;
  return new UnreachableError(`${what}: ${error.message}`, { cause: error });
}

async function openStream(way: Way, hosts: Hosts, signal: AbortSignal): Promise<Duplex> {
  if (way.kind === 'SSH') return hosts.forward(way.target, { host: way.address, port: way.port }, signal);
  return (await openTcp(way, signal)).setKeepAlive(true);
}
