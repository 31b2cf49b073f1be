/** How soon a host that does not answer is tried again. Pure. */
import type { NixNode } from '../../crds/index.ts';
import { backoff, ReconcileError } from '../lib/core/outcome.ts';
import type { Context } from '../lib/runtime/controller.ts';

/** A host that does not answer is tried at least this often: most come back, and nothing tells when. */
const unreachableMs = 60_000;
/** While a release is on trial it takes seconds: either it is confirmed in time, or it is known soon that it was not. */
const onTrialMs = 2_000;

/** Of the failure to look at a host: the same, and when to try again. */
export function soonAgain(
  error: unknown,
  { status }: NixNode,
  { attempt, clock }: Pick<Context<NixNode>, 'attempt' | 'clock'>,
): unknown {
  if (!(error instanceof ReconcileError) || error.verdict !== 'transient') return error;
  const onTrial = isOnTrial(status, clock.now());
  const recheckMs = onTrial ? onTrialMs : Math.min(backoff(attempt, 0.5), unreachableMs);
  const during = onTrial
    ? `during the trial of release ${status?.trial?.id}, which the host takes back by itself if this lasts: `
    : '';
  return new ReconcileError('transient', error.reason, `${during}${error.message}`, {
    cause: error,
    recheckMs,
  });
}

/** A host that takes a release back may have to restart for it, which takes minutes on real machines. */
const afterTrialMs = 900_000;

function isOnTrial(status: NixNode['status'], now: number): boolean {
  const underWay = ['Activating', 'AwaitingConfirmation', 'Rebooting', 'Confirming', 'Reverting'];
  const { trial, lastObserved } = status ?? {};
  if (!trial || !underWay.includes(trial.state)) return false;
  return now < Date.parse(trial.deadline ?? lastObserved ?? '') + afterTrialMs;
}
