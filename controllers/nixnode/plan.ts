/** What to do next on a host: a pure function of what the host says and what is wanted. Nothing is remembered here. */
import type { Observation, PartName, Parts, TrialReason } from '../lib/host/protocol.ts';
import { partNames } from '../lib/host/protocol.ts';

/** A release by name: `id` is a function of `parts` (lib/nix/release.ts). */
export type Release = { id: string; parts: Parts };

export type Policy = { reboot: 'Never' | 'WhenRequired'; mode: 'Apply' | 'Paused' };

/** Conditions of NixNode that the steps here belong to. */
type Stage = 'Built' | 'Applied';

export type Step =
  /** What is wanted runs, confirmed. */
  | { do: 'nothing' }
  | { do: 'stage'; missing: PartName[] }
  | { do: 'build' }
  | { do: 'activate'; attempt: number }
  | { do: 'reboot'; attempt: number }
  | { do: 'confirm'; id: string; attempt: number }
  | { do: 'reject'; part: PartName; hash: string; reason: TrialReason; message: string }
  /** Something on the host, or a person, has to act first; come back after `recheckMs`. */
  | { do: 'wait'; for: 'host' | 'person'; stage: Stage; reason: string; message: string; recheckMs: number };

/** How soon to look again at something that takes seconds on the host, and at something that a person must do. */
const soonMs = 700;
const laterMs = 60_000;
/** A job that failed for reasons of the host (disk, memory, network) is started again after so many seconds. */
const retryJobSeconds = 60;
/** A release during whose trial the host restarted is tried this often before it is taken to be the cause. */
const restartsTolerated = 3;

type Trial = NonNullable<Observation['trial']>;

export function nextStep(seen: Observation, wanted: Release, policy: Policy): Step {
  const { trial } = seen;
  const ongoing = trial && continueTrial(trial, wanted, policy);
  if (ongoing) return ongoing;
  if (isRunning(seen, wanted)) return { do: 'nothing' };
  if (policy.mode === 'Paused') {
    const message = `release ${wanted.id} is not deployed: spec.deploy.mode is Paused`;
    return waitForPerson('Applied', 'Paused', message);
  }
  const staged = seen.releases.find((release) => release.id === wanted.id);
  if (seen.bootedOther && staged) {
    const message =
      'the host was booted into a system that is not the confirmed release; nothing is deployed until the spec changes or the annotation firn.dev/resume gets a new value';
    return waitForPerson('Applied', 'BootedOther', message);
  }
  const missing = partNames.filter((part) => !seen.stored[part].includes(wanted.parts[part]));
  if (!staged || missing.length > 0) return { do: 'stage', missing };
  if (staged.system === null) return buildStep(seen, wanted);
  return activateStep(trial, wanted);
}

export function isRunning(seen: Observation, wanted: Release): boolean {
  return seen.current === wanted.id && seen.confirmed === wanted.id && !seen.secretsLost && !seen.bootedOther;
}

/** A trial under way is brought to its end before anything else begins; null where it has ended. */
function continueTrial(trial: Trial, wanted: Release, policy: Policy): Step | null {
  const { id, attempt } = trial;
  switch (trial.state) {
    case 'AwaitingConfirmation':
    case 'Confirming':
      return { do: 'confirm', id, attempt };
    case 'Activating':
      return waitForHost('Applied', 'Activating', `the host activates release ${id}`, soonMs);
    case 'Rebooting':
      return waitForHost('Applied', 'Rebooting', `the host restarts into release ${id}`, soonMs);
    case 'Reverting':
      return waitForHost(
        'Applied',
        'Reverting',
        `the host takes release ${id} back: ${trial.messageB64}`,
        soonMs,
      );
    case 'RebootDue':
      return id === wanted.id ? rebootStep(trial, policy) : null;
    case 'Confirmed':
    case 'Reverted':
      return null;
  }
}

function rebootStep(trial: Trial, policy: Policy): Step {
  if (policy.reboot === 'WhenRequired' && policy.mode === 'Apply')
    return { do: 'reboot', attempt: trial.attempt };
  const message = `release ${trial.id} is built and takes effect with a restart of the host, which spec.deploy.reboot does not allow (${trial.messageB64}); set it to WhenRequired`;
  return waitForPerson('Applied', 'RebootDue', message);
}

function buildStep(seen: Observation, wanted: Release): Step {
  const { build } = seen;
  if (build?.id !== wanted.id) return { do: 'build' };
  const age = seen.time - build.startedAt;
  if (build.state === 'Running') {
    return waitForHost('Built', 'Building', `the host builds release ${wanted.id}`, recheckFor(age));
  }
  if (build.state === 'Failed' && age >= 0 && age < retryJobSeconds) {
    return waitForHost('Built', 'BuildInterrupted', `${build.messageB64}; the build is tried again`, 5_000);
  }
  return { do: 'build' };
}

function activateStep(trial: Trial | null, wanted: Release): Step {
  if (trial?.id !== wanted.id) return { do: 'activate', attempt: 1 };
  if (trial.state === 'Reverted' && trial.reason === 'HostRestarted' && trial.attempt >= restartsTolerated) {
    const message = `the host restarted during each of ${trial.attempt} trials of this release`;
    return { do: 'reject', part: 'system', hash: wanted.parts.system, reason: 'HostRestarted', message };
  }
  return { do: 'activate', attempt: trial.attempt + 1 };
}

/** The watch of the cluster wakes the node; this is the net below. */
const turnMs = 300_000;

export const waitForTurn = (message: string): Step =>
  waitForHost('Applied', 'WaitingForRollout', message, turnMs);

/** Quick at first, when most builds end; then a tenth of the time that it has taken so far, up to 15 seconds. */
const recheckFor = (seconds: number): number => Math.min(Math.max(soonMs, seconds * 100), 15_000);

const waitForHost = (stage: Stage, reason: string, message: string, recheckMs: number): Step => ({
  do: 'wait',
  for: 'host',
  stage,
  reason,
  message,
  recheckMs,
});

const waitForPerson = (stage: Stage, reason: string, message: string): Step => ({
  do: 'wait',
  for: 'person',
  stage,
  reason,
  message,
  recheckMs: laterMs,
});
