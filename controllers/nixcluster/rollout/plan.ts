/**
 * Whose turn it is: which nodes may change their systems, and what is done to them before and after. Control-plane nodes
 * change first and one by one, workers by maxUnavailable. Pure; every visit decides anew from what is seen.
 */
import { several } from '../../lib/core/several.ts';
import { byName } from '../members.ts';
import type { ApiState, Turn, TurnState } from './turns.ts';

export type Rules = {
  maxUnavailable: number;
  /** Whether pods are evicted before a node changes. */
  drain: boolean;
  api: ApiState;
  /** What etcd lacks beside the members of these nodes; undefined: nothing. */
  etcd: string | undefined;
};

export type Decision = {
  name: string;
  granted: string | undefined;
  restart: string | undefined;
  rollout: { state: TurnState; message: string } | undefined;
  /** Whether its Node takes new pods. While it is `Draining`, those that it has are evicted. */
  node: 'closed' | 'open';
};

/** In the order of `turns`. Those that leave are somebody else's. */
export function planRollout(turns: readonly Turn[], rules: Rules): Decision[] {
  const staying = turns.filter((turn) => !turn.leaving);
  const living = staying.filter((turn) => turn.living);
  const leaving = turns.filter((turn) => turn.leaving && turn.living);
  const taken = living.filter(isHolder);
  const candidates = living.filter((turn) => !isHolder(turn) && isCandidate(turn)).sort(repairsFirst);
  const because = new Map<string, string>();
  for (const turn of candidates) {
    const why = heldBack(turn, { living, leaving, taken, rules });
    if (why === undefined) taken.push(turn);
    else because.set(turn.name, why);
  }
  return staying.map((turn) => {
    if (!turn.living) return atOnce(turn);
    if (taken.includes(turn)) return hold(turn, living, rules);
    return turn.pending ? waits(turn, because.get(turn.name) ?? leftAlone(turn)) : idle(turn);
  });
}

const holding: readonly (TurnState | undefined)[] = ['Draining', 'Changing', 'Returning', 'Held'];

/** A change that has begun, until the node is back; or until its next release cannot be made, and it is well without. */
const isHolder = (turn: Turn): boolean =>
  holding.includes(turn.state) &&
  !isForPerson(turn) &&
  ((turn.pending && turn.stuck === undefined) || turn.unwell !== undefined);

/** What a person has to let happen holds up nobody else. */
const isForPerson = (turn: Turn): boolean => turn.pending && (turn.paused || turn.restart === 'refused');

/** Nobody is given a turn that he could not use: it would be the others' that is lost. */
const isCandidate = (turn: Turn): boolean =>
  turn.pending &&
  !isForPerson(turn) &&
  !turn.unreachable &&
  (turn.failed ?? turn.stuck) === undefined &&
  (turn.built || turn.restart === 'due');

/** Why a node that has something to change is no candidate. */
function leftAlone(turn: Turn): string {
  const { name, desired, failed, stuck } = turn;
  if (turn.paused) return `${name} is paused (spec.deploy.mode)`;
  if (turn.restart === 'refused')
    return `${name} needs a restart, which its spec.deploy.reboot does not allow`;
  if (failed !== undefined) return `release ${desired} failed on ${name} (${failed})`;
  if (stuck !== undefined) return `${name} cannot make release ${desired} (${stuck})`;
  return turn.unreachable ? `${name} cannot be reached` : `${name} builds release ${desired}`;
}

/** Not part of the cluster yet: it waits for nobody. */
const atOnce = ({ name, desired }: Turn): Decision => ({
  ...{ name, granted: desired, restart: desired },
  ...{ rollout: undefined, node: 'open' },
});

/** A grant ends with its turn, or a release that comes back later would have it still. */
const idle = ({ name }: Turn): Decision => ({
  ...{ name, granted: undefined, restart: undefined },
  ...{ rollout: undefined, node: 'open' },
});

const waits = (turn: Turn, message: string): Decision => ({
  ...idle(turn),
  rollout: { state: 'Waiting', message },
});

/** What becomes of a node whose turn it is. */
function hold(turn: Turn, living: readonly Turn[], rules: Rules): Decision {
  const { name, desired, closed } = turn;
  const say = (state: TurnState, message: string) => ({ ...idle(turn), rollout: { state, message } });
  if (!turn.pending) return say('Returning', `${name} changed and is awaited: ${turn.unwell}`);
  if (turn.failed !== undefined) {
    const how = `${name} says why, and the next release goes there first`;
    return say('Held', `release ${desired} failed on ${name} (${turn.failed}); ${how}`);
  }
  const drainable = mayDrain(turn, living, rules);
  const drains = drainable && (turn.stopsPods || turn.restart === 'due');
  if (drains && !turn.empty) {
    const granted = turn.stopsPods ? undefined : desired;
    return { ...say('Draining', `${name} is drained`), granted, node: 'closed' };
  }
  return {
    ...say('Changing', `${name} is being changed`),
    granted: desired,
    restart: drains || !drainable ? desired : undefined,
    node: drains || closed ? 'closed' : 'open',
  };
}

/**
 * Whether pods can leave before a change that stops them. Not where they are down already, and not where there is no other
 * node for them. What repairs the API must not wait for evictions, which need it.
 */
const mayDrain = (turn: Turn, living: readonly Turn[], rules: Rules): boolean =>
  rules.drain &&
  turn.pods &&
  !turn.down &&
  !(turn.controlPlane && rules.api === 'Lost') &&
  living.some((other) => other !== turn && other.pods && other.worker);

/** Those that are broken go first, since their change may repair them; then those that others rest on. */
const repairsFirst = (a: Turn, b: Turn): number =>
  Number(a.unwell === undefined) - Number(b.unwell === undefined) ||
  Number(b.controlPlane) - Number(a.controlPlane) ||
  byName(a, b);

type Field = {
  living: readonly Turn[];
  leaving: readonly Turn[];
  /** Whose turn it is already. */
  taken: readonly Turn[];
  rules: Rules;
};

/** Why it is not this node's turn; undefined: it is. */
function heldBack(turn: Turn, field: Field): string | undefined {
  const broken = field.living.find((one) => one.failed !== undefined);
  if (broken) return leftAlone(broken);
  return (
    (turn.controlPlane ? heldBackControlPlane(turn, field) : heldBackByControlPlane(turn, field)) ??
    (turn.worker ? heldBackWorker(turn, field) : undefined)
  );
}

function heldBackControlPlane(turn: Turn, { living, leaving, taken, rules }: Field): string | undefined {
  const other = [...taken, ...leaving].find((one) => one.controlPlane);
  if (other) return `${other.name} ${doing(other)}, and control-plane nodes change one by one`;
  if (rules.api === 'Silent') return noApi;
  // One that does not serve takes nothing away, and may be what is missing.
  if (turn.notServing !== undefined) return undefined;
  const down = living.find((one) => one.controlPlane && one !== turn && one.notServing !== undefined);
  return down ? `control-plane node ${down.name} is missing: ${down.notServing}` : rules.etcd;
}

const noApi = 'the API of the cluster does not answer';

function heldBackByControlPlane(turn: Turn, { living, taken, rules }: Field): string | undefined {
  if (rules.api !== 'Answers' && turn.pods) return noApi;
  if (turn.unwell !== undefined) return undefined;
  const first = living.find(
    (one) =>
      one.controlPlane && (taken.includes(one) || (isCandidate({ ...one, built: true }) && one.pending)),
  );
  return first && `the control plane changes first: ${first.name}`;
}

function heldBackWorker(turn: Turn, { living, leaving, taken, rules }: Field): string | undefined {
  const changing = [...taken, ...leaving].filter((one) => one.worker);
  const unwell = living.filter((one) => one.worker && one.unwell !== undefined && !taken.includes(one));
  // One that is down already costs nothing more.
  const down = turn.unwell === undefined ? [...changing, ...unwell] : changing;
  if (down.length < rules.maxUnavailable) return undefined;
  return several(
    down.map((one) => `${one.name} ${doing(one)}`),
    '; ',
  );
}

function doing(turn: Turn): string {
  if (turn.leaving) return 'is leaving';
  if (turn.pending && (isHolder(turn) || turn.unwell === undefined)) return 'is being changed';
  return `is down: ${turn.unwell}`;
}
