/** The step of a visit that gives nodes their turns. */
import type { ClusterNode, NixCluster, NixNode } from '../../crds/index.ts';
import { type Decision, planRollout, type Rules } from './rollout.ts';
import { type ApiState, type Turn, turnsOf } from './turns.ts';

export type RollOut = { turns: Turn[]; decisions: Decision[]; nodes: ClusterNode[] };

/** `nodes` are those of the status to be. */
export function rollOut(
  cluster: NixCluster,
  members: readonly NixNode[],
  nodes: readonly ClusterNode[],
): RollOut {
  const api: ApiState = 'Answers';
  const now: NixCluster = { ...cluster, status: { ...cluster.status, nodes: [...nodes] } };
  const turns = turnsOf(now, members, api, { closed: new Set(), empty: new Set() });
  const decisions = planRollout(turns, rulesOf(cluster, api));
  return { turns, decisions, nodes: withDecisions(nodes, decisions) };
}

function rulesOf({ spec }: NixCluster, api: ApiState): Rules {
  const { maxUnavailable, drain } = spec.rollout;
  return { maxUnavailable, drain: drain.enabled, api, etcd: undefined };
}

export function withDecisions(nodes: readonly ClusterNode[], decisions: readonly Decision[]): ClusterNode[] {
  const byName = new Map(decisions.map((decision) => [decision.name, decision]));
  return nodes.map((node) => {
    const decision = byName.get(node.name);
    if (!decision) return node;
    const { granted: _g, restart: _r, rollout: _o, ...rest } = node;
    const { granted, restart, rollout } = decision;
    return { ...rest, ...(granted && { granted }), ...(restart && { restart }), ...(rollout && { rollout }) };
  });
}
