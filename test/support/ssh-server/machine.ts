import { randomUUID } from 'node:crypto';
import type { Clock } from '../../../controllers/lib/core/clock.ts';
import { createFaults, type Faults } from './faults.ts';
import type { Listener } from './listener.ts';
import { leaveUnderlay, losePower } from './mesh.ts';
import { type Durations, freshState, type Machine } from './state.ts';
import { settleBoot } from './trial.ts';
import { createWitness } from './witness.ts';

/** A host that is switched on. `listener` is asked for once its port is to be opened or closed. */
export function createMachine(
  name: string,
  clock: Clock,
  durations: Durations,
  listener: () => Listener,
): { machine: Machine; stop(): void } {
  const timers = new Set<() => void>();
  let reachable: 'open' | 'closed' = 'open';
  let stopped = false;
  const later = (ms: number, callback: () => void): (() => void) => {
    const cancel = clock.after(ms, () => {
      timers.delete(cancel);
      callback();
    });
    timers.add(cancel);
    return cancel;
  };
  const stopTimers = (): void => {
    for (const cancel of timers) cancel();
    timers.clear();
  };
  /** A port that cannot be opened again fails the test by itself: nobody answers there. */
  const settlePort = (): void => {
    const refusing = faults.take('refuseConnection') !== null;
    void listener().listen(!stopped && reachable === 'open' && !refusing ? 'open' : 'closed');
  };
  const faults: Faults = createFaults(settlePort);
  const state = freshState(name);
  const witness = createWitness();
  const machine: Machine = {
    state,
    clock,
    durations,
    faults,
    witness,
    later,
    network(up) {
      reachable = up === 'up' ? 'open' : 'closed';
      settlePort();
      if (up === 'down') listener().cutAll();
    },
    isReachable: () => !stopped && reachable === 'open',
    reboot() {
      stopTimers();
      state.counts.downs += 1;
      witness.wentDown();
      machine.network('down');
      losePower(machine);
      later(durations.boot, () => {
        state.bootId = randomUUID();
        state.counts.boots += 1;
        settleBoot(machine);
        machine.network('up');
      });
    },
  };
  return {
    machine,
    stop() {
      stopped = true;
      stopTimers();
      leaveUnderlay(machine);
    },
  };
}
