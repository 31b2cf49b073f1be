/** The points of a call at which a fault may come between the two sides. */
import type { Subcommand } from '../../../controllers/lib/host/protocol.ts';
import type { Fault, FaultPoint } from './faults.ts';
import type { Inbox } from './inbox.ts';
import type { Machine } from './state.ts';

/** Thrown to leave a dialogue in the middle. */
export class Gone extends Error {}

export type Passage = (at: FaultPoint, subcommand: Subcommand | null) => Promise<void>;

type Passed = Machine & { cutConnection(): void };

/** Before them nothing on the host works for the call, and what was not read is lost with the connection. */
const notYetRunning = new Set<FaultPoint>(['session', 'script', 'program']);

/** For one dialogue. Throws `Gone` where it has come to an end: by a cut, for ever silent, or with the power of the host. */
export function passageOf(host: Passed, inbox: Inbox): Passage {
  const { faults, state } = host;
  const { downs } = state.counts;
  return async (at, subcommand) => {
    const fits = (fault: Extract<Fault, { kind: 'cut' | 'hang' | 'meanwhile' }>): boolean =>
      fault.at === at && inScope(host, subcommand)(fault);
    if (faults.take('cut', fits) !== null) {
      host.cutConnection();
      throw new Gone();
    }
    if (faults.take('hang', fits) !== null) throw new Gone();
    const meanwhile = faults.take('meanwhile', fits);
    await meanwhile?.do();
    if (state.counts.downs !== downs) throw new Gone();
    if (meanwhile !== null && inbox.ended && notYetRunning.has(at)) throw new Gone();
  };
}

export const inScope =
  ({ state }: Machine, subcommand: Subcommand | null) =>
  (fault: Extract<Fault, { subcommand?: Subcommand }>): boolean =>
    (fault.subcommand === undefined || fault.subcommand === subcommand) &&
    (fault.only === undefined || fault.only(state));
