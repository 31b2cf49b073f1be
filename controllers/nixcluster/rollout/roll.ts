/** The step of a visit that gives nodes their turns, and empties them before and opens them after. */
import { type ClusterNode, type NixCluster, type NixNode, parseDuration } from '../../../crds/index.ts';
import { KubeError } from '../../lib/kube/kube-error.ts';
import { type CordonedNode, isClosed } from './cordon.ts';
import type { DrainPolicy } from './drain.ts';
import { type Api, closedNodes, type Emptied, emptyNode, openNode } from './empty-node.ts';
import { type Decision, planRollout, type Rules } from './plan.ts';
import { type ApiState, type Nodes, type Turn, turnsOf } from './turns.ts';

export type RollOutWork = {
  cluster: NixCluster;
  members: readonly NixNode[];
  /** Of the status to be. */
  nodes: readonly ClusterNode[];
  /** Null while there is no way into the cluster. */
  api: Api | null;
  now: number;
};

export type RollOut = {
  turns: Turn[];
  decisions: Decision[];
  nodes: ClusterNode[];
  /** Pods are on their way, which nothing tells but another look; undefined where none are. */
  recheckMs: number | undefined;
};

/** How soon to look again at a node that is being emptied. */
export const drainingMs = 2_000;
/** Of pods that a person has to see to. */
const heldMs = 30_000;

export async function rollOut(work: RollOutWork): Promise<RollOut> {
  const { cluster, members, nodes, now } = work;
  const seen = work.api && (await unlessSilent(closedNodes(work.api)));
  const api = seen ? work.api : null;
  const state: ApiState = seen ? 'Answers' : silenceOf(cluster, now);
  const current = { ...cluster, status: { ...cluster.status, nodes: [...nodes] } };
  const planWith = (empty: readonly string[]) => {
    const turns = turnsOf(current, members, state, nodesSeen(seen ?? [], nodes, empty));
    return { turns, decisions: planRollout(turns, rulesOf(cluster, state)) };
  };
  const first = planWith([]);
  const emptied = await emptyAll(first.decisions, drainPolicyOf(cluster), api);
  const empty = [...emptied].flatMap(([name, found]) => (found.empty ? [name] : []));
  const { turns, decisions: bare } = empty.length > 0 ? planWith(empty) : first;
  const decisions = bare.map((one) => inWords(one, emptied.get(one.name), cluster));
  if (api && seen) await openAll(decisions, seen, api);
  const looks = bare.flatMap(({ name, rollout }) =>
    rollout?.state === 'Draining' ? [emptied.get(name)?.overdue ? heldMs : drainingMs] : [],
  );
  const recheckMs = looks.length > 0 ? Math.min(...looks) : undefined;
  return { turns, decisions, nodes: withDecisions(nodes, decisions), recheckMs };
}

/** What the API does not do now is done on another visit; that it does not answer is for others to say. */
export async function unlessSilent<A>(call: Promise<A>): Promise<A | null> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof KubeError && error.reason !== 'Aborted') return null;
    throw error;
  }
}

/** So long an API server may take to start before it counts as broken. */
const lostAfterMs = 120_000;

function silenceOf({ status }: NixCluster, now: number): ApiState {
  const said = status?.conditions?.find(({ type }) => type === 'ApiAvailable');
  const isLost = said?.status === 'False' && now - Date.parse(said.lastTransitionTime) > lostAfterMs;
  return isLost ? 'Lost' : 'Silent';
}

function rulesOf({ spec, status }: NixCluster, api: ApiState): Rules {
  const { maxUnavailable, drain } = spec.rollout;
  const stray = status?.etcd?.members?.find(({ node, healthy }) => node === undefined && healthy === false);
  const etcd = stray && `member ${stray.id} of etcd, of no NixNode, is not healthy`;
  return { maxUnavailable, drain: drain.enabled, api, etcd };
}

export const drainPolicyOf = ({ spec }: NixCluster): DrainPolicy => ({
  timeoutMs: parseDuration(spec.rollout.drain.timeout),
  budgets: spec.rollout.drain.podDisruptionBudgets,
});

/** One that is being changed was emptied before. */
function nodesSeen(
  closed: readonly CordonedNode[],
  nodes: readonly ClusterNode[],
  emptied: readonly string[],
): Nodes {
  const names = new Set(closed.filter(isClosed).map(({ metadata }) => metadata.name));
  const before = nodes.filter(({ name, rollout }) => rollout?.state === 'Changing' && names.has(name));
  return { closed: names, empty: new Set([...before.map(({ name }) => name), ...emptied]) };
}

async function emptyAll(
  decisions: readonly Decision[],
  policy: DrainPolicy,
  api: Api | null,
): Promise<Map<string, Emptied>> {
  const emptied = new Map<string, Emptied>();
  for (const { name, rollout } of decisions) {
    if (rollout?.state !== 'Draining' || !api) continue;
    const found = await unlessSilent(emptyNode(name, policy, api));
    if (found) emptied.set(name, found);
  }
  return emptied;
}

async function openAll(
  decisions: readonly Decision[],
  seen: readonly CordonedNode[],
  api: Api,
): Promise<void> {
  const open = new Set(decisions.flatMap(({ name, node }) => (node === 'open' ? [name] : [])));
  for (const node of seen) if (open.has(node.metadata.name)) await unlessSilent(openNode(node, api));
}

function inWords(decision: Decision, emptied: Emptied | undefined, { spec }: NixCluster): Decision {
  if (decision.rollout?.state !== 'Draining') return decision;
  const { name } = decision;
  const says = emptied?.says ?? 'the API of the cluster does not answer';
  const state = emptied?.overdue ? 'Held' : 'Draining';
  const message = emptied?.overdue
    ? `${name} is not empty after ${spec.rollout.drain.timeout}: ${says}. Let them go, or set spec.rollout.drain.podDisruptionBudgets to Ignore`
    : `${name} is drained: ${says}`;
  return { ...decision, rollout: { state, message } };
}

function withDecisions(nodes: readonly ClusterNode[], decisions: readonly Decision[]): ClusterNode[] {
  const byName = new Map(decisions.map((decision) => [decision.name, decision]));
  return nodes.map((node) => {
    const decision = byName.get(node.name);
    if (!decision) return node;
    const { granted: _g, restart: _r, rollout: _o, ...rest } = node;
    const { granted, restart, rollout } = decision;
    return { ...rest, ...(granted && { granted }), ...(restart && { restart }), ...(rollout && { rollout }) };
  });
}
