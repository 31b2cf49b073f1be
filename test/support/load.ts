/** Clients that ask without a pause, each time over a new connection; every answer that is not one is counted. */
import { connect } from 'node:net';

export type Load = {
  /** Resolves when the last answer is there. */
  stop(): Promise<Counted>;
  soFar(): Counted;
};

export type Counted = {
  /** How often each body came. */
  answers: Record<string, number>;
  /** What came instead, in a few words. */
  failures: string[];
};

const clientMs = 20_000;

export function startLoad(at: { host: string; port: number }, clients: number): Load {
  const counted: Counted = { answers: {}, failures: [] };
  let isOver = false;
  const client = async (): Promise<void> => {
    while (!isOver) {
      const answer = await ask(at);
      if ('body' in answer) counted.answers[answer.body] = (counted.answers[answer.body] ?? 0) + 1;
      else counted.failures.push(answer.failure);
    }
  };
  const all = Promise.all(Array.from({ length: clients }, client));
  return {
    soFar: () => structuredClone(counted),
    stop: async () => {
      isOver = true;
      await all;
      return counted;
    },
  };
}

/** One request of HTTP/1.0; the connection ends with the answer. */
export function ask(
  at: { host: string; port: number },
  withinMs = clientMs,
): Promise<{ body: string } | { failure: string }> {
  return new Promise((resolve) => {
    let said = '';
    let error = '';
    const socket = connect(at);
    socket.setTimeout(withinMs, () => {
      error = 'no answer in time';
      socket.destroy();
    });
    socket.on('connect', () => socket.write('GET / HTTP/1.0\r\n\r\n'));
    socket.on('data', (chunk: Buffer) => {
      said += chunk.toString('latin1');
    });
    socket.on('error', (cause) => {
      error = cause.message;
    });
    socket.on('close', () => {
      const [head = '', body] = said.split('\r\n\r\n');
      const isAnswer = / 200 /.test(head.split('\r\n')[0]!) && body !== undefined && body !== '';
      resolve(isAnswer ? { body: body.trim() } : { failure: error || head.slice(0, 60) || 'closed' });
    });
  });
}
