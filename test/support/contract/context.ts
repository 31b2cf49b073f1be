import type { HostProgram } from '../../../controllers/lib/host/call.ts';
import type { CallOptions, Hosts, Target } from '../../../controllers/lib/host/host.ts';
import { HostError } from '../../../controllers/lib/host/host-error.ts';
import type { Observation } from '../../../controllers/lib/host/protocol.ts';
import type { TcpRelay } from '../tcp-relay.ts';

/** A NixOS host, or what acts as one, on which Firn has never been. */
export type ContractHost = AsyncDisposable & {
  address: string;
  port: number;
  hostKey: string;
  /** Lets root in. */
  privateKey: string;
  program: HostProgram;
};

/** What every test of the contract has. */
export type Context = {
  subject: ContractHost;
  relay: TcpRelay;
  hosts: Hosts;
  target: (changes?: Partial<Target>) => Target;
  observe: (changes?: Partial<Target>, call?: Partial<CallOptions>) => Promise<Observation>;
};

export const options = (changes: Partial<CallOptions> = {}): CallOptions => ({
  signal: new AbortController().signal,
  deadlineMs: 20_000,
  ...changes,
});

/** The error of a promise that must fail with a `HostError`. */
export async function failure(promise: Promise<unknown>): Promise<HostError> {
  const error = await promise.then(
    () => new Error('it succeeded'),
    (reason: unknown) => reason,
  );
  if (error instanceof HostError) return error;
  throw error;
}

export async function eventually(fits: () => boolean): Promise<void> {
  for (let tries = 0; tries < 200 && !fits(); tries += 1)
    await new Promise((resolve) => setTimeout(resolve, 10));
  expect(fits()).toBe(true);
}
