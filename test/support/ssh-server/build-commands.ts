/** What takes long and touches nothing that runs. */
import { accepted, admit, type Command, newJob, Refusal, text } from './invocation.ts';
import { sha256 } from './payload.ts';
import { type Job, type Machine, systemPath, unixNow } from './state.ts';
import { systemFault } from './trial.ts';

export const build: Command = (machine, call) => {
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
};

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

export const resolve: Command = (machine, call) => {
  admit(machine, call);
  const url = text(call.fields.url);
  const resolve = { ...newJob(machine, url), refresh: text(call.fields.refresh) };
  machine.state.resolve = resolve;
  machine.later(machine.durations.resolve, () => {
    resolve.state = 'Succeeded';
    resolve.extra = JSON.stringify(lockedFor(url));
  });
  return accepted;
};

/** A revision and a hash that follow from the URL, in the shape of `nix flake metadata --json`. */
function lockedFor(url: string): Record<string, unknown> {
  const digest = sha256(Buffer.from(url));
  const narHash = `sha256-${Buffer.from(digest, 'hex').toString('base64')}`;
  const [, owner, repo] = /^github:([^/]+)\/([^/?]+)/.exec(url) ?? [];
  return owner === undefined
    ? { type: 'tarball', url, narHash, lastModified: 1_760_000_000 }
    : { type: 'github', owner, repo, rev: digest.slice(0, 40), narHash, lastModified: 1_760_000_000 };
}
