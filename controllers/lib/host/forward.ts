import { Duplex } from 'node:stream';
import { HostError } from './host-error.ts';
import type { Lease } from './pool-entry.ts';

/** A stream on the connection that the lease is of. The lease is the caller's to release. */
export type Forwarded = { lease: Lease; via: Duplex };

/**
 * A stream to `to` on a pooled connection, or on a new one where that turns out to be dead: nothing was sent on it, so a
 * second one loses nothing. Streams pass the gate by: `MaxSessions` of sshd is about sessions, not about them.
 */
export async function forwardOnLease(
  lease: (want: 'pooled' | 'fresh') => Promise<Lease>,
  to: { host: string; port: number },
  signal: AbortSignal,
): Promise<Forwarded> {
  const attempt = async (want: 'pooled' | 'fresh'): Promise<Forwarded> => {
    const leased = await lease(want);
    try {
      return { lease: leased, via: await leased.connection.forward(to.host, to.port, signal) };
    } catch (error) {
      // Silence: whoever comes next gets another connection.
      if (signal.aborted) leased.retire();
      leased.release();
      throw error;
    }
  };
  try {
    return await attempt('pooled');
  } catch (error) {
    if (!(error instanceof HostError) || error.code !== 'ConnectionLost' || signal.aborted) throw error;
    return attempt('fresh');
  }
}

/**
 * The stream as its user gets it. A channel of ssh2 does not become `destroyed`, and says `close` only to who has read it
 * to its end; so it would be held for ever by a user who left in the middle.
 */
export function streamOn({ lease, via }: Forwarded): Duplex {
  const stream = new Duplex({
    read: () => via.resume(),
    write: (chunk, _encoding, written) => via.write(chunk, written),
    final: (ended) => {
      via.end();
      ended();
    },
    destroy: (error, destroyed) => {
      via.destroy();
      via.resume();
      lease.release();
      destroyed(error);
    },
  });
  via.on('data', (chunk) => stream.push(chunk) || via.pause());
  via.on('error', () => stream.destroy());
  via.once('end', () => stream.push(null));
  via.once('close', () => {
    lease.release();
    // What has come is still read; nothing can be written any more.
    if (stream.readableEnded) stream.destroy();
    else stream.once('end', () => stream.destroy());
  });
  return stream;
}
