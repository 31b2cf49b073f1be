/** What a roll-out, and nodes that leave, say of themselves. Pure. */
import type { ClusterNode } from '../../../crds/index.ts';
import { ReconcileError } from '../../lib/core/outcome.ts';
import { several } from '../../lib/core/several.ts';
import type { Decision } from './plan.ts';
import type { Turn } from './turns.ts';

export type Going = {
  turns: readonly Turn[];
  decisions: readonly Decision[];
  /** Of the status to be. */
  nodes: readonly ClusterNode[];
  /** When to look again; undefined: watches tell. */
  recheckMs?: number | undefined;
};

const order = ['Held', 'Draining', 'Changing', 'Returning', 'Waiting'] as const;

/** Throws `RollingOut` while nodes change or leave, and `RolloutHeld` where that does not go on without somebody. */
export function checkRollout({ turns, decisions, nodes, recheckMs }: Going): void {
  const under = decisions.flatMap(({ rollout }) => (rollout ? [rollout] : []));
  const leaving = nodes.flatMap(({ name, departure }) =>
    departure && departure.stage !== 'Done' ? [{ name, ...departure }] : [],
  );
  if (under.length === 0 && leaving.length === 0) return;
  const said = order.flatMap((state) =>
    under.filter((one) => one.state === state).map(({ message }) => message),
  );
  const left = leaving.map(({ name, stage, message }) => `${name} leaves: ${message ?? stage}`);
  const message = `${countOf(turns, under.length)}${several([...new Set([...left, ...said])], '; ')}`;
  const again = recheckMs === undefined ? {} : { recheckMs };
  const moves = under.some(({ state }) => ['Draining', 'Changing', 'Returning'].includes(state));
  if (moves || leaving.some(({ guarded }) => !guarded) || turns.some(builds))
    throw new ReconcileError('progressing', 'RollingOut', message, again);
  throw new ReconcileError('waiting', 'RolloutHeld', message, again);
}

function countOf(turns: readonly Turn[], under: number): string {
  const living = turns.filter((turn) => turn.living && !turn.leaving).length;
  return under === 0 ? '' : `${living - under} of ${living} nodes run what they should: `;
}

/** One that took the release back before does not build it again. */
const builds = ({ living, pending, built, paused, failed, stuck, unreachable }: Turn): boolean =>
  living && pending && !built && !paused && (failed ?? stuck) === undefined && !unreachable;
