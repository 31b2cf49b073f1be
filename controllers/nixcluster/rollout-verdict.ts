/** What a roll-out says of itself. Pure. */
import { ReconcileError } from '../lib/core/outcome.ts';
import { several } from '../lib/core/several.ts';
import type { Decision } from './rollout.ts';
import type { Turn } from './turns.ts';

const order = ['Held', 'Draining', 'Changing', 'Returning', 'Waiting'] as const;

/** Throws `RollingOut` while nodes change, and `RolloutHeld` where it does not go on without somebody. */
export function checkRollout(turns: readonly Turn[], decisions: readonly Decision[]): void {
  const under = decisions.flatMap(({ rollout }) => (rollout ? [rollout] : []));
  if (under.length === 0) return;
  const living = turns.filter((turn) => turn.living && !turn.leaving).length;
  const said = order.flatMap((state) =>
    under.filter((one) => one.state === state).map(({ message }) => message),
  );
  const message = `${living - under.length} of ${living} nodes run what they should: ${several([...new Set(said)], '; ')}`;
  const moves = under.some(({ state }) => ['Draining', 'Changing', 'Returning'].includes(state));
  const builds = turns.some(
    (turn) => turn.living && turn.pending && !turn.built && !turn.paused && !turn.stuck && !turn.unreachable,
  );
  if (moves || builds) throw new ReconcileError('progressing', 'RollingOut', message);
  throw new ReconcileError('waiting', 'RolloutHeld', message);
}
