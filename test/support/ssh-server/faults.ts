import type { Subcommand, TrialReason } from '../../../controllers/lib/host/protocol.ts';
import type { Tree } from '../../../controllers/lib/nix/tree.ts';
import type { HostState } from './state.ts';

/** Where in a call the connection can be cut, or the host can fall silent. */
export type FaultPoint =
  | 'banner' // TCP is open, nothing was said
  | 'login' // just logged in
  | 'session' // /bin/sh was started, nothing was read
  | 'script' // the main script has arrived, nothing was run
  | 'program' // half of the host program has arrived
  | 'payload' // half of the payload has arrived
  | 'beforeEffect'
  | 'afterEffect' // done, but no word of it got out
  | 'reply' // in the middle of the reply's bytes
  | 'replied'; // all of the reply is on its way

type Scope = {
  /** Only calls of this subcommand; where it is absent, every call. */
  subcommand?: Subcommand;
  /** Only while this is true of the host. */
  only?: (state: HostState) => boolean;
  /** How often it happens before it is over by itself; where it is absent, until it is removed. */
  times?: number;
};

/** Only systems of which this is true: how a configuration that is bad in itself is played. */
type OfSystem = { times?: number; when?: (bundle: Tree) => boolean };

export type Fault =
  // the way there
  | { kind: 'refuseConnection' }
  | { kind: 'wrongHostKey'; times?: number }
  | { kind: 'refuseKey'; times?: number }
  | { kind: 'refuseSession'; times?: number }
  | ({ kind: 'cut'; at: FaultPoint } & Scope)
  | ({ kind: 'hang'; at: FaultPoint } & Scope)
  | ({ kind: 'slow'; ms: number } & Scope)
  /** The call stands still until `do` is over. A program that runs by then goes on, whether or not anyone still listens. */
  | ({ kind: 'meanwhile'; at: FaultPoint; do: () => void | Promise<void> } & Scope)
  // the shell there
  | { kind: 'chatter'; before?: string | Uint8Array; after?: string | Uint8Array; times?: number }
  | { kind: 'notAShell'; says: string; exitStatus: number; times?: number }
  | { kind: 'refuseSudo'; says: string; times?: number }
  | { kind: 'storeFails'; says: string; times?: number }
  // the program there
  | ({ kind: 'refuse'; code: string; message: string } & Scope)
  | ({ kind: 'garbage'; bytes: string | Uint8Array } & Scope)
  /** `reason: null`: the environment failed, and the system is not remembered as bad. */
  | ({ kind: 'buildFails'; message: string; reason: 'BuildFailed' | 'EvaluationFailed' | null } & OfSystem)
  | ({ kind: 'activationFails'; message: string; reason: TrialReason; units?: string[] } & OfSystem)
  | ({ kind: 'declines'; message: string; reason: TrialReason } & OfSystem)
  /** Cannot be entered but by a reboot. */
  | ({ kind: 'needsReboot' } & OfSystem)
  /** From the switch until it is taken back nobody can connect. */
  | ({ kind: 'losesNetwork' } & OfSystem)
  | ({ kind: 'hangsInActivation' } & OfSystem)
  | { kind: 'confirmStays'; times?: number };

export type FaultKind = Fault['kind'];

/** The faults of one host. */
export type Faults = {
  /** Returns what removes it. */
  add(fault: Fault): () => void;
  clear(): void;
  /** The first fault that fits, which counts as happening; or null. */
  take<K extends FaultKind>(
    kind: K,
    fits?: (fault: Extract<Fault, { kind: K }>) => boolean,
  ): Extract<Fault, { kind: K }> | null;
};

export function createFaults(changed: () => void): Faults {
  const active = new Map<Fault, number>();
  return {
    add(fault) {
      // A copy, so that the same object may be added twice.
      const own = { ...fault };
      active.set(own, ('times' in fault ? fault.times : undefined) ?? Number.POSITIVE_INFINITY);
      changed();
      return () => {
        active.delete(own);
        changed();
      };
    },
    clear() {
      active.clear();
      changed();
    },
    take(kind, fits = () => true) {
      for (const [fault, left] of active) {
        // `kind` picks the member of the union, which the compiler cannot see through a generic.
        const candidate = fault as Extract<Fault, { kind: typeof kind }>;
        if (fault.kind !== kind || !fits(candidate)) continue;
        if (left <= 1) active.delete(fault);
        else active.set(fault, left - 1);
        return candidate;
      }
      return null;
    },
  };
}
