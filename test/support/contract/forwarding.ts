import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { type Context, eventually, failure } from './context.ts';

const never = new AbortController().signal;

/** Byte streams to what only the host itself reaches: here, its own SSH server. */
export function forwarding(context: () => Context): void {
  const toItself = () => {
    const { hosts, subject, target } = context();
    return hosts.forward(target(), { host: '127.0.0.1', port: subject.port }, never);
  };

  test('carries bytes both ways over the connection that calls share', async () => {
    const { observe, relay } = context();
    await observe();
    const streams = await Promise.all(Array.from({ length: 20 }, () => toItself()));
    for (const stream of streams) expect(await banner(stream)).toMatch(/^SSH-2\.0-/);
    await observe();
    expect(relay.accepted).toBe(1);
    for (const stream of streams) stream.destroy();
  });

  test('says what it does not reach, and nothing of a jump host', async () => {
    const { hosts, target } = context();
    const closed = await failure(hosts.forward(target(), { host: '127.0.0.1', port: 1 }, never));
    expect(closed.code).toBe('ForwardFailed');
    expect(closed.message).toMatch(/opens no connection to 127\.0\.0\.1 port 1: /);
    expect(closed.message).not.toMatch(/jump|\(SSH\)/);
  });

  test('a stream holds its connection as long as it lives, and no longer', async () => {
    const { observe, relay } = context();
    const stream = await toItself();
    await observe({}, { newConnection: true });
    expect(await banner(stream)).toMatch(/^SSH-/);
    expect(relay.open).toBe(2);
    // In the middle, with bytes on the way that nobody will read.
    stream.destroy();
    await eventually(() => relay.open === 1);
    expect(stream.destroyed).toBe(true);
  });

  test('a stream on a connection that is cut ends, and the next one goes over a new connection', async () => {
    const { relay } = context();
    const stream = await toItself();
    await banner(stream);
    const closed = once(stream.resume(), 'close');
    relay.cut();
    await closed;
    expect(await banner(await toItself())).toMatch(/^SSH-/);
    expect(relay.accepted).toBe(2);
  });

  test('who gives up is not kept, and holds nothing', async () => {
    const { hosts, observe, relay, subject, target } = context();
    await observe();
    relay.block();
    const giveUp = new AbortController();
    const asked = hosts.forward(target(), { host: '127.0.0.1', port: subject.port }, giveUp.signal);
    await new Promise((resolve) => setImmediate(resolve)); // it is asked for
    giveUp.abort(new Error('given up'));
    await expect(asked).rejects.toThrow('given up');
    relay.unblock();
    await eventually(() => relay.open === 0);
    await observe();
  });
}

async function banner(stream: Duplex): Promise<string> {
  const [chunk] = await once(stream, 'data');
  stream.pause();
  return String(chunk);
}
