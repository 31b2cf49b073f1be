/** The subcommands of the host program: they change the state and say what the program would say. */
import type { Subcommand } from '../../../controllers/lib/host/protocol.ts';
import { build, resolve } from './build-commands.ts';
import {
  accepted,
  admit,
  type Command,
  type Invocation,
  int,
  newJob,
  Refusal,
  type Reply,
  refusal,
  text,
} from './invocation.ts';
import { leaveUnderlay } from './mesh.ts';
import { observe } from './observe.ts';
import { claim, depart, disown } from './owner-commands.ts';
import { prune, stage } from './stage-commands.ts';
import { freshState, type Machine } from './state.ts';
import { activate, confirm, reboot, refuseWhileOnTrial, reject, resume, revert } from './trial-commands.ts';

/** Runs one subcommand to its reply. */
export async function runCommand(machine: Machine, subcommand: Subcommand, call: Invocation): Promise<Reply> {
  try {
    return await commands[subcommand](machine, call);
  } catch (error) {
    if (error instanceof Refusal) return refusal(error.code, error.message);
    throw error;
  }
}

const commands: Record<Subcommand, Command> = {
  observe: (machine, { program }) => observe(machine, program),
  claim,
  resolve,
  stage,
  build,
  activate,
  reboot,
  confirm,
  revert,
  reject,
  resume,
  prune,
  disown,
  depart,

  reset(machine, call) {
    admit(machine, call);
    const { state } = machine;
    // What only waits to be confirmed is as good as taken back.
    if (state.trial?.state !== 'AwaitingConfirmation') refuseWhileOnTrial(machine);
    state.reset = newJob(machine, '');
    machine.later(machine.durations.activate, () => {
      const { release0, hostname, bootId, programs, counts } = state;
      const fresh = freshState(hostname);
      leaveUnderlay(machine);
      machine.witness.disowned();
      const system = release0?.running ?? fresh.running.system;
      Object.assign(state, fresh, {
        bootId,
        programs,
        counts,
        running: { ...fresh.running, system, profile: system },
      });
    });
    return accepted;
  },

  log({ state }, { fields }) {
    const logs: Record<string, string | undefined> = {
      build: state.build?.message ?? '',
      resolve: state.resolve?.message ?? '',
      reset: state.reset?.message ?? '',
      activate: state.trial?.message ?? '',
    };
    const whole = logs[text(fields.what)];
    if (whole === undefined) throw new Refusal('InvalidRequest', 'there is no such log');
    return { ok: true, textB64: base64(whole.split('\n').slice(-int(fields.lines)).join('\n')) };
  },
};

const base64 = (words: string): string => Buffer.from(words).toString('base64');
