import { connect, createServer, type Socket } from 'node:net';

/** A wire between a test and a server, that can be counted, cut and blocked. */
export type TcpRelay = AsyncDisposable & {
  readonly port: number;
  /** Connections accepted so far. */
  readonly accepted: number;
  /** Connections open now. */
  readonly open: number;
  /** Bytes that went to the server so far. */
  readonly bytesUp: number;
  /** Ends every connection at once, in both directions. */
  cut(): void;
  /** Does that as soon as so many more bytes have come from the client; they do not arrive. */
  cutAfter(bytes: number): void;
  /** From now on nothing passes, and nobody is told. */
  block(): void;
  unblock(): void;
  close(): Promise<void>;
};

export async function startTcpRelay(to: { host: string; port: number }): Promise<TcpRelay> {
  const pairs = new Set<[Socket, Socket]>();
  let accepted = 0;
  let bytesUp = 0;
  let blocked = false;
  let cutAt = Number.POSITIVE_INFINITY;
  const server = createServer({ noDelay: true }, (near) => {
    accepted += 1;
    const far = connect({ ...to, noDelay: true });
    const pair: [Socket, Socket] = [near, far];
    pairs.add(pair);
    for (const [from, onto] of [pair, [far, near] as const]) {
      from.on('data', (chunk: Buffer) => {
        if (onto === far) bytesUp += chunk.length;
        if (bytesUp >= cutAt) {
          cutAt = Number.POSITIVE_INFINITY;
          cut();
          return;
        }
        if (!onto.write(chunk)) from.pause();
      });
      onto.on('drain', () => blocked || from.resume());
      from.on('end', () => onto.end());
      from.on('error', () => onto.destroy());
      from.on('close', () => {
        onto.destroy();
        pairs.delete(pair);
      });
      if (blocked) from.pause();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const cut = (): void => {
    for (const socket of [...pairs].flat()) socket.destroy();
  };
  const close = async (): Promise<void> => {
    cut();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  return {
    port: address !== null && typeof address === 'object' ? address.port : 0,
    get accepted() {
      return accepted;
    },
    get open() {
      return pairs.size;
    },
    get bytesUp() {
      return bytesUp;
    },
    cut,
    cutAfter(bytes) {
      cutAt = bytesUp + bytes;
    },
    block() {
      blocked = true;
      for (const socket of [...pairs].flat()) socket.pause();
    },
    unblock() {
      blocked = false;
      for (const socket of [...pairs].flat()) socket.resume();
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
