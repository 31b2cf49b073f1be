import { act, lookAgain, type Visit } from './visit.ts';

/** Over a new connection, with the newest key: that the host can still be reached is what is being confirmed. */
export async function confirmTrial(
  visit: Visit,
  { id, attempt }: { id: string; attempt: number },
): Promise<void> {
  const over = visit.login.confirmTarget;
  const { trial } = await lookAgain(visit, over);
  if (trial?.id !== id || trial.attempt !== attempt) return;
  if (trial.state === 'AwaitingConfirmation' && trial.failedUnits.length > 0) {
    const message = `units that run before the release failed: ${trial.failedUnits.join(', ')}`;
    await act(visit, 'revert', { id, attempt, message }, over);
    return;
  }
  const { state } = await act(visit, 'confirm', { id, attempt }, over);
  if (state !== 'Confirmed') return;
  visit.context.event('Normal', 'Deployed', `release ${id} is confirmed`);
  await act(visit, 'prune', {}, over);
}
