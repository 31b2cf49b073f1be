/** From activation to confirmation or back, and what is remembered of it. */
import { partNames } from '../../../controllers/lib/host/protocol.ts';
import { accepted, admit, type Command, type Invocation, int, Refusal, text } from './invocation.ts';
import { type Machine, type Trial, unixNow } from './state.ts';
import { beginRevert, beginTrial, finishConfirm, markBad } from './trial.ts';

const inProgress = new Set<Trial['state']>([
  'Activating',
  'AwaitingConfirmation',
  'Rebooting',
  'Confirming',
  'Reverting',
]);

export function refuseWhileOnTrial({ state }: Machine): void {
  const { trial } = state;
  if (trial !== null && inProgress.has(trial.state)) {
    throw new Refusal('Busy', `release ${trial.id} is on trial (${trial.state})`);
  }
}

function trialOf({ state }: Machine, { fields }: Invocation): Trial {
  const { trial } = state;
  if (trial === null || trial.id !== fields.id || trial.attempt !== fields.attempt) {
    throw new Refusal('NotFound', `release ${fields.id}, attempt ${fields.attempt}, is not on trial`);
  }
  return trial;
}

export const activate: Command = (machine, call) => {
  admit(machine, call);
  const { state } = machine;
  const { fields } = call;
  const id = text(fields.id);
  const attempt = int(fields.attempt);
  if (state.trial?.id === id && state.trial.attempt === attempt) return accepted;
  refuseWhileOnTrial(machine);
  const release = state.releases.get(id);
  if (release === undefined) throw new Refusal('NotFound', `release ${id} is not staged`);
  if (release.system === null) throw new Refusal('NotBuilt', `release ${id} is not built`);
  const trial: Trial = {
    id,
    attempt,
    state: 'Activating',
    kind: 'live',
    reason: null,
    message: '',
    deadline: null,
    failedUnits: [],
    confirmSeconds: int(fields.confirmSeconds),
    from: state.current,
  };
  beginTrial(machine, trial, int(fields.activateSeconds));
  return accepted;
};

export const reboot: Command = (machine, call) => {
  admit(machine, call);
  const trial = trialOf(machine, call);
  if (trial.state !== 'RebootDue') {
    if (['Rebooting', 'AwaitingConfirmation', 'Confirming', 'Confirmed'].includes(trial.state))
      return accepted;
    throw new Refusal('NotFound', `release ${trial.id} is ${trial.state}; no reboot is due`);
  }
  trial.confirmSeconds = int(call.fields.confirmSeconds);
  trial.state = 'Rebooting';
  machine.later(20, () => machine.reboot());
  return accepted;
};

export const confirm: Command = async (machine, call) => {
  admit(machine, call);
  const { state } = machine;
  if (state.trial?.id !== call.fields.id && state.confirmed === call.fields.id)
    return { ok: true, state: 'Confirmed' };
  const trial = trialOf(machine, call);
  if (trial.state === 'AwaitingConfirmation') {
    trial.state = 'Confirming';
    trial.deadline = null;
    if (machine.faults.take('confirmStays') === null) {
      await new Promise<void>((resolve) => machine.later(machine.durations.confirm, resolve));
      finishConfirm(machine, trial);
    }
  }
  if (!['Confirming', 'Confirmed', 'Reverted', 'Reverting'].includes(trial.state)) {
    throw new Refusal('Busy', `release ${trial.id} is ${trial.state}, which cannot be confirmed yet`);
  }
  return { ok: true, state: trial.state };
};

export const revert: Command = (machine, call) => {
  admit(machine, call);
  const trial = trialOf(machine, call);
  const message = text(call.fields.message);
  if (trial.state === 'Activating' || trial.state === 'AwaitingConfirmation') {
    beginRevert(machine, trial, 'RejectedByUser', message);
  } else if (trial.state === 'RebootDue') {
    Object.assign(trial, { state: 'Reverted', reason: 'RejectedByUser', message });
    markBad(machine, trial);
  } else if (trial.state !== 'Reverting' && trial.state !== 'Reverted') {
    throw new Refusal('Busy', `release ${trial.id} is ${trial.state}`);
  }
  return accepted;
};

export const reject: Command = (machine, call) => {
  admit(machine, call);
  const { state, clock } = machine;
  const part = partNames.find((name) => name === call.fields.part);
  if (part === undefined) throw new Refusal('InvalidRequest', 'no such part of a release');
  const hash = text(call.fields.hash);
  state.bad = state.bad.filter((bad) => bad.part !== part || bad.hash !== hash);
  state.bad.push({
    part,
    hash,
    reason: text(call.fields.reason),
    message: text(call.fields.message),
    at: unixNow(clock),
  });
  return accepted;
};

export const resume: Command = (machine, call) => {
  admit(machine, call);
  machine.state.bad = [];
  machine.state.bootedOther = false;
  return accepted;
};
