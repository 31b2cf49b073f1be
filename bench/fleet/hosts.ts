/** The side of `hosts-program.ts` that asks. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Sealed } from '../../controllers/lib/core/sealed.ts';
import type { HostLogin } from './nodes.ts';

export type Question =
  | { do: 'start'; count: number /** base64 */; hmacKey: string }
  | { do: 'watch'; index: number }
  | { do: 'cut'; index: number }
  | { do: 'count' };

export type Counts = {
  /** Hosts that were called at least once. */
  called: number;
  /** Open connections, of all hosts. */
  connections: number;
};
export type Started = { logins: HostLogin[]; privateKey: string };
export type Answer = Started | Counts | null;
/** A command that reached the host program; `atMs` by `monotonicMs`. */
export type HostCall = { index: number; subcommand: string; atMs: number };
export type Said =
  | { number: number; value: Answer }
  | { number: number; failed: string }
  | { call: HostCall };

export type Hosts = AsyncDisposable & {
  readonly logins: readonly HostLogin[];
  /** Lets the operator in everywhere. */
  readonly privateKey: string;
  /** Resolves, once the host is being watched, to a promise of the next command that reaches it. */
  nextCall(index: number): Promise<{ call: Promise<HostCall> }>;
  /** Cuts the host's connections. */
  cut(index: number): Promise<void>;
  count(): Promise<Counts>;
};

const program = join(import.meta.dirname, 'hosts-program.ts');
const callWithinMs = 30_000;

/** Hosts at rest: each runs what its NixNode of `nodes.ts` asks for. */
export async function startHosts(count: number, hmacKey: Sealed<Uint8Array>): Promise<Hosts> {
  const child = fork(program);
  const asked = new Map<number, PromiseWithResolvers<Answer>>();
  let expected: PromiseWithResolvers<HostCall> | undefined;
  let number = 0;
  child.on('message', (said: Said) => {
    if ('call' in said) return expected?.resolve(said.call);
    const waiting = asked.get(said.number);
    asked.delete(said.number);
    if ('failed' in said) waiting?.reject(new Error(said.failed));
    else waiting?.resolve(said.value);
  });
  child.once('exit', (code) => {
    const ended = new Error(`the hosts' process ended with status ${code}`);
    for (const waiting of asked.values()) waiting.reject(ended);
    expected?.reject(ended);
  });
  const ask = (question: Question): Promise<Answer> => {
    const waiting = Promise.withResolvers<Answer>();
    asked.set(++number, waiting);
    child.send({ number, question });
    return waiting.promise;
  };
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null) return;
    const exit = once(child, 'exit');
    child.disconnect();
    await exit;
  };
  const base64 = Buffer.from(hmacKey.open()).toString('base64');
  const started = await ask({ do: 'start', count, hmacKey: base64 }).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return {
    ...(started as Started),
    async nextCall(index) {
      const waiting = Promise.withResolvers<HostCall>();
      expected = waiting;
      await ask({ do: 'watch', index });
      return { call: within(callWithinMs, waiting.promise, `no command reached host ${index}`) };
    },
    cut: async (index) => void (await ask({ do: 'cut', index })),
    count: async () => (await ask({ do: 'count' })) as Counts,
    [Symbol.asyncDispose]: stop,
  };
}

async function within<T>(ms: number, promise: Promise<T>, otherwise: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${otherwise} within ${ms} ms`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
