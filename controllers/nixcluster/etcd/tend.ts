/** The life of etcd's membership: asks its members, decides by plan.ts, and takes the next step. */
import type { ClusterEtcd, ClusterNode, NixCluster, NixNode } from '../../../crds/index.ts';
import { ReconcileError } from '../../lib/core/outcome.ts';
import type { Context } from '../../lib/runtime/controller.ts';
import type { EtcdAccess } from '../../lib/target/etcd.ts';
import type { Targets } from '../../lib/target/targets.ts';
import { etcdAccess } from '../access.ts';
import {
  type EtcdAnswer,
  type EtcdFacts,
  etcdNodes,
  lossAnnotation,
  removalAnnotation,
  transportOf,
  whomToAsk,
} from './facts.ts';
import { decide } from './plan.ts';
import { api, isForUsers, take } from './take.ts';

export type EtcdVisit = {
  cluster: NixCluster;
  members: readonly NixNode[];
  /** Those that have a number. */
  nodes: readonly ClusterNode[];
  context: Context<NixCluster>;
  targets: Targets;
  /** Told what there is, for those who decide by it on the same visit. */
  found?(etcd: ClusterEtcd): void;
};

/** How often members are asked how they are, when all is well. */
const healthyMs = 60_000;
/** What a step did is to be seen next. */
const afterStepMs = 500;

/** One step towards what NixNodes ask for; returns when to look again. Throws what it waits for. */
export async function tendEtcd(visit: EtcdVisit): Promise<{ recheckMs: number }> {
  const { cluster, context } = visit;
  if (cluster.spec.datastore.type !== 'Etcd') {
    context.report({ etcd: undefined });
    return { recheckMs: Number.POSITIVE_INFINITY };
  }
  const known = factsOf(visit);
  const isAsked = transportOf(known) === 'TLS' && mayAnswer(known);
  const access = isAsked ? await etcdAccess(cluster, ofNodes(visit, known), context.read) : null;
  const facts = access ? await ask(known, access, visit) : known;
  const { etcd, action, trouble } = decide(facts);
  context.report({ etcd });
  visit.found?.(etcd);
  // Guarded by the version that this was read from: nobody lets another host begin a cluster meanwhile.
  if (isNews(etcd, facts.before)) await context.publishNow();
  if (action && access) await take(action, facts, access, visit);
  if (trouble)
    throw new ReconcileError(trouble.verdict, trouble.reason, trouble.message, {
      recheckMs: action ? afterStepMs : trouble.recheckMs,
    });
  return { recheckMs: isAsked ? healthyMs : Number.POSITIVE_INFINITY };
}

function factsOf({ cluster, members, nodes }: EtcdVisit): EtcdFacts {
  const annotations = cluster.metadata.annotations ?? {};
  return {
    nodes: etcdNodes(cluster, members, nodes),
    answers: new Map(),
    list: null,
    before: cluster.status?.etcd,
    accepted: { removal: annotations[removalAnnotation], loss: annotations[lossAnnotation] },
  };
}

const mayAnswer = ({ nodes, before }: EtcdFacts): boolean =>
  before?.clusterID !== undefined ||
  before?.initial !== undefined ||
  nodes.some(({ seen }) => seen?.hasData === true);

const ofNodes = ({ members }: EtcdVisit, { nodes }: EtcdFacts): NixNode[] =>
  members.filter(({ metadata }) => nodes.some(({ name }) => name === metadata.name));

const isNews = (etcd: ClusterEtcd, before: ClusterEtcd | undefined): boolean =>
  etcd.initial?.state === 'new' && JSON.stringify(etcd.initial) !== JSON.stringify(before?.initial);

/** All members at once, then one of them for the list. */
async function ask(facts: EtcdFacts, access: EtcdAccess, visit: EtcdVisit): Promise<EtcdFacts> {
  const answers = new Map<string, EtcdAnswer>();
  await Promise.all(
    facts.nodes.map(async ({ name, isReachable }) => {
      if (!isReachable) answers.set(name, { silent: 'its host cannot be reached' });
      else answers.set(name, await statusOf(name, access, visit));
    }),
  );
  const answered = { ...facts, answers };
  const from = whomToAsk(answered);
  if (from === undefined) return answered;
  const list = await orSilence(visit, () => api(from, access, visit).members(visit.context.signal));
  if (!('silent' in list)) return { ...answered, list };
  // Whoever could not tell the list has no majority, whatever else it said.
  answers.set(from, list);
  return answered;
}

const statusOf = (name: string, access: EtcdAccess, visit: EtcdVisit): Promise<EtcdAnswer> =>
  orSilence(visit, () => api(name, access, visit).status(visit.context.signal));

async function orSilence<T>({ context }: EtcdVisit, work: () => Promise<T>): Promise<T | { silent: string }> {
  try {
    return await work();
  } catch (error) {
    if (context.signal.aborted || !isForUsers(error)) throw error;
    return { silent: error.message };
  }
}
