/** A trial from activation to its end, as nix/host/firn-host runs it: same states, same order, time from a clock. */
import { type PartName, partNames, type TrialReason } from '../../../controllers/lib/host/protocol.ts';
import type { Tree } from '../../../controllers/lib/nix/tree.ts';
import type { Fault } from './faults.ts';
import { type Machine, systemPath, type Trial, unixNow } from './state.ts';

const bundleOf = ({ state }: Machine, id: string) =>
  state.stored.system.get(state.releases.get(id)?.parts.system ?? '') ?? new Map<string, string>();

type SystemFault = Extract<Fault, { when?: (bundle: Tree) => boolean }>;

/** The fault of a kind that fits a release's system. */
export const systemFault = <K extends SystemFault['kind']>(
  machine: Machine,
  kind: K,
  id: string,
): Extract<Fault, { kind: K }> | null =>
  machine.faults.take(kind, (fault) => {
    // Every kind in `SystemFault` has it, which the compiler cannot see through a generic.
    const { when } = fault as SystemFault;
    return when === undefined || when(bundleOf(machine, id));
  });

const systemOf = ({ state }: Machine, id: string | null): string =>
  (id === null ? state.release0?.running : state.releases.get(id)?.system) ?? systemPath('0');

/** Whether this is still the trial that a timer was set for. */
const isIn = ({ state }: Machine, trial: Trial, ...states: Trial['state'][]): boolean =>
  state.trial === trial && states.includes(trial.state);

const activationOf = ({ id, attempt }: Trial): string => `the activation of ${id}, attempt ${attempt},`;
const wayBackFrom = ({ id, attempt }: Trial): string => `the way back from ${id}, attempt ${attempt},`;

export function beginTrial(machine: Machine, trial: Trial, activateSeconds: number): void {
  const { state, clock } = machine;
  state.trial = trial;
  const declined = systemFault(machine, 'declines', trial.id);
  if (declined !== null) {
    Object.assign(trial, { state: 'Reverted', reason: declined.reason, message: declined.message });
    markBad(machine, trial);
    return;
  }
  if (systemFault(machine, 'needsReboot', trial.id) !== null) {
    Object.assign(trial, {
      state: 'RebootDue',
      kind: 'reboot',
      message: 'another kernel: only a reboot can enter it',
    });
    return;
  }
  trial.deadline = unixNow(clock) + activateSeconds;
  machine.witness.began(activationOf(trial));
  machine.later(activateSeconds * 1000, () => {
    if (isIn(machine, trial, 'Activating'))
      beginRevert(machine, trial, 'ActivationTimedOut', 'the activation took longer than it may');
  });
  if (systemFault(machine, 'hangsInActivation', trial.id) !== null) return;
  machine.later(machine.durations.activate, () => {
    if (isIn(machine, trial, 'Activating')) switchTo(machine, trial);
  });
}

function switchTo(machine: Machine, trial: Trial): void {
  const { state } = machine;
  const candidate = systemOf(machine, trial.id);
  state.current = trial.id;
  if (candidate !== state.running.system) {
    state.running.system = candidate;
    state.counts.switches += 1;
    if (systemFault(machine, 'losesNetwork', trial.id) !== null) machine.network('down');
  }
  const failed = systemFault(machine, 'activationFails', trial.id);
  if (failed === null) {
    awaitConfirmation(machine, trial);
    return;
  }
  trial.failedUnits = failed.units ?? [];
  beginRevert(machine, trial, failed.reason, failed.message);
}

export function awaitConfirmation(machine: Machine, trial: Trial): void {
  trial.state = 'AwaitingConfirmation';
  machine.witness.ended(activationOf(trial));
  machine.witness.awaiting(`${trial.id}, attempt ${trial.attempt},`);
  trial.deadline = unixNow(machine.clock) + trial.confirmSeconds;
  machine.later(trial.confirmSeconds * 1000, () => {
    if (!isIn(machine, trial, 'AwaitingConfirmation')) return;
    beginRevert(machine, trial, 'NotConfirmed', 'the operator did not confirm over a new connection in time');
  });
}

export function beginRevert(machine: Machine, trial: Trial, reason: TrialReason, message: string): void {
  Object.assign(trial, { state: 'Reverting', reason, message, deadline: null });
  // A revert stops the activation before it begins.
  machine.witness.ended(activationOf(trial));
  machine.witness.began(wayBackFrom(trial));
  markBad(machine, trial);
  machine.later(machine.durations.revert, () => {
    if (!isIn(machine, trial, 'Reverting')) return;
    if (trial.kind === 'reboot') machine.reboot();
    else comeBack(machine, trial);
  });
}

function comeBack(machine: Machine, trial: Trial): void {
  const { state } = machine;
  state.current = trial.from;
  state.running.system = systemOf(machine, trial.from);
  trial.state = 'Reverted';
  machine.witness.ended(wayBackFrom(trial));
  machine.network('up');
}

/** The system if it changed, else what else changed; a failure to deliver files is the secrets' own. */
export function markBad(machine: Machine, trial: Trial): void {
  const { state, clock } = machine;
  const is = state.releases.get(trial.id)?.parts;
  const was = trial.from === null ? undefined : state.releases.get(trial.from)?.parts;
  if (is === undefined) return;
  let changed: PartName[] = partNames.filter((part) => is[part] !== was?.[part]);
  if (trial.reason === 'FilesFailed' && changed.includes('secrets')) changed = ['secrets'];
  else if (changed.includes('system')) changed = ['system'];
  for (const part of changed) {
    state.bad = state.bad.filter((bad) => bad.part !== part || bad.hash !== is[part]);
    state.bad.push({
      part,
      hash: is[part],
      reason: trial.reason ?? '',
      message: trial.message,
      at: unixNow(clock),
    });
  }
}

/** From the state Confirming on there is no way back. */
export function finishConfirm(machine: Machine, trial: Trial): void {
  const { state } = machine;
  const system = systemOf(machine, trial.id);
  machine.witness.confirmed(`${trial.id}, attempt ${trial.attempt},`);
  if (state.running.profile !== system) {
    state.running.profile = system;
    state.running.generation += 1;
  }
  state.running.system = system;
  state.current = trial.id;
  state.confirmed = trial.id;
  // What is confirmed is forgiven.
  const release = state.releases.get(trial.id);
  if (release !== undefined) release.wasConfirmed = true;
  state.bad = state.bad.filter((bad) => release?.parts[bad.part] !== bad.hash);
  trial.state = 'Confirmed';
  trial.deadline = null;
}

/** What a boot makes of a trial that it finds: the boot default is the last confirmed system, always. */
export function settleBoot(machine: Machine): void {
  const { state } = machine;
  const { trial } = state;
  for (const job of [state.build, state.resolve, state.reset]) {
    if (job?.state !== 'Running') continue;
    Object.assign(job, { state: 'Failed', message: 'it was interrupted: the host restarted' });
  }
  const entered = trial?.state === 'Rebooting' ? trial : null;
  const system = systemOf(machine, entered?.id ?? state.confirmed);
  state.running.system = system;
  state.running.booted = system;
  state.current = entered?.id ?? state.confirmed;
  if (trial === null) return;
  switch (trial.state) {
    case 'Rebooting':
      awaitConfirmation(machine, trial);
      return;
    case 'Confirming':
      finishConfirm(machine, trial);
      return;
    case 'Activating':
    case 'AwaitingConfirmation':
      Object.assign(trial, {
        state: 'Reverted',
        reason: 'HostRestarted',
        message: 'the host restarted during the trial',
        deadline: null,
      });
      return;
    case 'Reverting':
      trial.state = 'Reverted';
      return;
    default:
  }
}
