/** The subcommands of the host program, one function each: they change the state and say what the program would say. */

import { partNames, type refusalCodes, type Subcommand } from '../../../controllers/lib/host/protocol.ts';
import { fieldsOf } from '../../../controllers/lib/host/request.ts';
import { observe } from './observe.ts';
import { isPart, sha256, unpackParts } from './payload.ts';
import { freshState, type Job, type Machine, systemPath, type Trial, unixNow } from './state.ts';
import { beginRevert, beginTrial, finishConfirm, markBad, systemFault } from './trial.ts';

export type Fields = Readonly<Record<string, string | number>>;
export type Reply = Record<string, unknown>;

/** What a running command has besides the machine. */
export type Invocation = {
  fields: Fields;
  /** Hash under which the program was started. */
  program: string;
  /** Asks for the payload and waits for it. */
  receive(bytes: number): Promise<Buffer>;
};

type Command = (machine: Machine, call: Invocation) => Reply | Promise<Reply>;
const accepted: Reply = { ok: true };

/** Thrown to refuse. */
class Refusal extends Error {
  readonly code: string;
  constructor(code: (typeof refusalCodes)[number], message: string) {
    super(message);
    this.code = code;
  }
}

export const refusal = (code: string, message: string): Reply => ({
  ok: false,
  code,
  messageB64: Buffer.from(message).toString('base64'),
});

/** Runs one subcommand to its reply. */
export async function runCommand(machine: Machine, subcommand: Subcommand, call: Invocation): Promise<Reply> {
  try {
    return await commands[subcommand](machine, call);
  } catch (error) {
    if (error instanceof Refusal) return refusal(error.code, error.message);
    throw error;
  }
}

/** Request lines to values; null for a request that the program would not read. */
export function readFields(subcommand: Subcommand, lines: readonly string[]): Fields | null {
  const given = new Map(
    lines.map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)]),
  );
  const fields: Record<string, string | number> = {};
  for (const { name, type } of fieldsOf(subcommand)) {
    const value = given.get(name);
    if (value === undefined || !alphabet[type].test(value)) return null;
    if (type === 'int') fields[name] = Number(value);
    else fields[name] = type === 'hex' ? value : Buffer.from(value, 'base64').toString('utf8');
  }
  return fields;
}

const alphabet = { hex: /^[0-9a-f]+$/, int: /^[0-9]{1,15}$/, text: /^[A-Za-z0-9+/]*={0,2}$/ };

const text = (value: string | number | undefined): string => String(value ?? '');
const int = (value: string | number | undefined): number => Number(value ?? 0);

/** Lets only the owner's newest operator pass. */
function admit({ state }: Machine, { fields }: Invocation): void {
  const { owner } = state;
  if (owner === null) throw new Refusal('NotClaimed', 'nobody has claimed this host yet');
  if (owner.installation !== fields.installation) {
    throw new Refusal(
      'OwnedByOther',
      `this host belongs to ${owner.owner} of the installation ${owner.installation}`,
    );
  }
  const fence = int(fields.fence);
  if (fence < owner.fence) {
    throw new Refusal('Fenced', `a newer operator (fence ${owner.fence}) was here; this one has ${fence}`);
  }
  owner.fence = fence;
}

const inProgress = new Set<Trial['state']>([
  'Activating',
  'AwaitingConfirmation',
  'Rebooting',
  'Confirming',
  'Reverting',
]);

function refuseWhileOnTrial({ state }: Machine): void {
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

const newJob = (machine: Machine, subject: string): Job => ({
  state: 'Running',
  startedAt: unixNow(machine.clock),
  message: '',
  subject,
  extra: '',
});

const commands: Record<Subcommand, Command> = {
  observe: ({ state, clock }, { program }) => observe(state, program, unixNow(clock)),

  claim({ state }, { fields }) {
    const { owner, running } = state;
    const [installation, fence] = [text(fields.installation), int(fields.fence)];
    const same = owner?.installation === installation && owner.owner === fields.owner;
    if (owner !== null && !same && fields.adopt !== 1) {
      throw new Refusal(
        'OwnedByOther',
        `this host belongs to ${owner.owner} of the installation ${owner.installation}`,
      );
    }
    if (owner?.installation === installation && fence < owner.fence) {
      throw new Refusal('Fenced', `a newer operator (fence ${owner.fence}) was here; this one has ${fence}`);
    }
    state.release0 ??= { running: running.system, booted: running.booted, profile: running.profile };
    state.owner = { installation, fence, owner: text(fields.owner), uid: text(fields.uid) };
    return accepted;
  },

  resolve(machine, call) {
    admit(machine, call);
    const url = text(call.fields.url);
    const resolve = { ...newJob(machine, url), refresh: text(call.fields.refresh) };
    machine.state.resolve = resolve;
    machine.later(machine.durations.resolve, () => {
      resolve.state = 'Succeeded';
      resolve.extra = JSON.stringify(lockedFor(url));
    });
    return accepted;
  },

  async stage(machine, call) {
    admit(machine, call);
    const { fields } = call;
    const payload = await call.receive(int(fields.payloadBytes));
    if (sha256(payload) !== fields.payloadSha256) {
      throw new Refusal('PayloadCorrupt', "the payload's SHA-256 is not what was announced");
    }
    const sent = await unpackParts(payload).catch((error: unknown) => {
      throw new Refusal('PayloadCorrupt', `the payload cannot be unpacked: ${String(error)}`);
    });
    for (const part of partNames) {
      const hash = text(fields[part]);
      if (machine.state.stored[part].has(hash)) continue;
      const tree = sent[part];
      if (tree === undefined)
        throw new Refusal('PartMissing', `the part ${part} ${hash} is neither stored nor sent`);
      if (!isPart(part, hash, tree))
        throw new Refusal('PayloadCorrupt', `the part ${part} is not what its hash says`);
      machine.state.stored[part].set(hash, tree);
    }
    admit(machine, call);
    layRelease(machine, fields);
    return accepted;
  },

  build(machine, call) {
    admit(machine, call);
    const { state } = machine;
    const id = text(call.fields.id);
    const release = state.releases.get(id);
    if (release === undefined) throw new Refusal('NotFound', `release ${id} is not staged`);
    if (state.build?.state === 'Running') {
      if (state.build.subject === id) return accepted;
      throw new Refusal('Busy', `release ${state.build.subject} is being built`);
    }
    const job = newJob(machine, id);
    state.build = job;
    const twin = [...state.releases.values()].find(
      (other) => other.system !== null && other.parts.system === release.parts.system,
    );
    if (twin !== undefined) {
      release.system = twin.system;
      job.state = 'Succeeded';
      return accepted;
    }
    state.counts.builds += 1;
    machine.later(machine.durations.build, () => finishBuild(machine, id, job));
    return accepted;
  },

  activate(machine, call) {
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
  },

  reboot(machine, call) {
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
  },

  async confirm(machine, call) {
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
  },

  revert(machine, call) {
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
  },

  reject(machine, call) {
    admit(machine, call);
    const { state, clock } = machine;
    const part = partNames.find((name) => name === call.fields.part);
    if (part === undefined) throw new Refusal('InvalidRequest', 'no such part of a release');
    const hash = text(call.fields.hash);
    state.bad = state.bad.filter((bad) => bad.part !== part || bad.hash !== hash);
    state.bad.push({
      part,
      hash,
      reason: 'RejectedByUser',
      message: text(call.fields.message),
      at: unixNow(clock),
    });
    return accepted;
  },

  resume(machine, call) {
    admit(machine, call);
    machine.state.bad = [];
    machine.state.bootedOther = false;
    return accepted;
  },

  prune(machine, call) {
    admit(machine, call);
    const { state } = machine;
    const kept = new Set([state.current, state.confirmed, state.trial?.id]);
    for (const id of state.releases.keys()) if (!kept.has(id)) state.releases.delete(id);
    for (const part of partNames) {
      const used = new Set([...state.releases.values()].map(({ parts }) => parts[part]));
      for (const hash of state.stored[part].keys()) if (!used.has(hash)) state.stored[part].delete(hash);
    }
    return accepted;
  },

  reset(machine, call) {
    admit(machine, call);
    refuseWhileOnTrial(machine);
    const { state } = machine;
    state.reset = newJob(machine, '');
    machine.later(machine.durations.activate, () => {
      const { release0, hostname, bootId, programs, counts } = state;
      const fresh = freshState(hostname);
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

  disown(machine, call) {
    admit(machine, call);
    refuseWhileOnTrial(machine);
    machine.state.owner = null;
    return accepted;
  },

  log({ state }, { fields }) {
    const job = { build: state.build, resolve: state.resolve, reset: state.reset }[text(fields.what)] ?? null;
    const lines = (job?.message ?? state.trial?.message ?? '').split('\n').slice(-int(fields.lines));
    return { ok: true, textB64: Buffer.from(lines.join('\n')).toString('base64') };
  },
};

function layRelease({ state }: Machine, fields: Fields): void {
  const id = text(fields.id);
  const parts = { system: text(fields.system), data: text(fields.data), secrets: text(fields.secrets) };
  const before = state.releases.get(id);
  if (before !== undefined && partNames.some((part) => before.parts[part] !== parts[part])) {
    throw new Refusal('InvalidRequest', `release ${id} has other parts already`);
  }
  if (before !== undefined) return;
  state.releases.set(id, {
    parts,
    system: null,
    dataFormat: int(fields.dataFormat),
    secretsFormat: int(fields.secretsFormat),
  });
}

function finishBuild(machine: Machine, id: string, job: Job): void {
  const { state, clock } = machine;
  const release = state.releases.get(id);
  const failed = systemFault(machine, 'buildFails', id);
  if (release === undefined) return;
  if (failed === null) {
    release.system = systemPath(release.parts.system);
    job.state = 'Succeeded';
    return;
  }
  job.state = 'Failed';
  job.message = failed.message;
  if (failed.reason === null) return;
  const bad = {
    part: 'system',
    hash: release.parts.system,
    reason: failed.reason,
    message: failed.message,
  } as const;
  state.bad.push({ ...bad, at: unixNow(clock) });
}

/** A revision and a hash that follow from the URL, in the shape of `nix flake metadata --json`. */
function lockedFor(url: string): Record<string, unknown> {
  const digest = sha256(Buffer.from(url));
  const narHash = `sha256-${Buffer.from(digest, 'hex').toString('base64')}`;
  const [, owner, repo] = /^github:([^/]+)\/([^/?]+)/.exec(url) ?? [];
  return owner === undefined
    ? { type: 'tarball', url, narHash, lastModified: 1_760_000_000 }
    : { type: 'github', owner, repo, rev: digest.slice(0, 40), narHash, lastModified: 1_760_000_000 };
}
