/** Nodes as a roll-out sees them: well, and with nothing to do, unless a test says otherwise. */
import type { Rules } from '../../controllers/nixcluster/rollout/plan.ts';
import type { Turn } from '../../controllers/nixcluster/rollout/turns.ts';

export type Change = Turn;

export const rules: Rules = { maxUnavailable: 1, drain: true, api: 'Answers', etcd: undefined };

const turn = (name: string, roles: Partial<Turn>, more: Partial<Turn>): Turn => ({
  ...{ name, controlPlane: false, worker: false, pods: true, living: true },
  ...{ desired: 'new', pending: false, built: false, stopsPods: false, restart: undefined },
  ...{ paused: false, failed: undefined, stuck: undefined },
  ...{ unwell: undefined, unreachable: false, down: false, notServing: undefined, leaving: false },
  ...{ granted: undefined, state: undefined, closed: false, empty: false },
  ...roles,
  ...more,
});

export const worker = (name: string, more: Partial<Turn> = {}): Turn => turn(name, { worker: true }, more);
export const controlPlane = (name: string, more: Partial<Turn> = {}): Turn =>
  turn(name, { controlPlane: true }, more);
export const frontend = (name: string, more: Partial<Turn> = {}): Turn =>
  turn(name, { worker: true, pods: false }, more);
