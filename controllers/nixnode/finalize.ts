/** What happens on the host when its NixNode goes: nothing, or all the way back. */
import { type NixCluster, type NixNode, parseDuration } from '../../crds/index.ts';
import { ReconcileError } from '../lib/core/outcome.ts';
import { timestamp } from '../lib/core/timestamp.ts';
import { SecretKind } from '../lib/kube/core-kinds.ts';
import { clusterNamedBy } from '../nixcluster/relations.ts';
import { confirmTrial } from './confirm.ts';
import { deletionPolicyOf } from './deletion-policy.ts';
import { waitsForDeparture } from './departure.ts';
import type { Fences } from './fence.ts';
import type { Services } from './services.ts';
import { act, type Context, depart, reach, type Visit } from './visit.ts';

type Outcome = 'done' | { recheckMs: number };
/** What became of the host; null: it is still under way. */
type Left = NonNullable<NonNullable<NixNode['status']>['deletion']>['outcome'] | null;

/** How soon to look again at a host that is at it. */
const soonMs = 1_000;
/** How often a host that cannot be reset is tried again, at least. */
const retryMs = 15_000;
/** A node never waits for its cluster for long: one that does not notice in time takes it that the host goes on. */
const noticeMs = 30_000;
/** The cluster wakes the node at each step of its departure; this is the net below, and for the deadline. */
const departureMs = 15_000;

export async function finalizeNode(
  node: NixNode,
  context: Context,
  services: Services,
  fences: Fences,
): Promise<Outcome> {
  const left = node.status?.deletion;
  if (!left) {
    const cluster = clusterNamedBy(node, context.read);
    await leaveCluster(node, cluster, context);
    const leave = deletionPolicyOf(node, cluster) === 'Reset' ? resetHost : letGo;
    const outcome = await leave(node, context, services, fences);
    if (outcome === null) return { recheckMs: soonMs };
    if (node.spec.clusterRef) {
      context.report({ deletion: { outcome, at: timestamp(context.clock.now()) } });
      return { recheckMs: soonMs };
    }
  } else if (!isNoticed(node, context) && context.clock.now() < Date.parse(left.at) + noticeMs) {
    return { recheckMs: soonMs };
  }
  fences.delete(node.metadata.uid);
  services.hosts.forget(node.metadata.uid);
  return 'done';
}

/**
 * Until the cluster goes on without it, its host stays what it is. A host that nobody can log in to any more, since the key
 * is gone as well, is not waited for: a namespace goes with all that is in it.
 */
async function leaveCluster(
  node: NixNode,
  cluster: NixCluster | undefined,
  { read, clock }: Context,
): Promise<void> {
  const because = waitsForDeparture(node, cluster, clock.now());
  if (because === undefined || !(await hasKey(node, read))) return;
  throw new ReconcileError('progressing', 'LeavingCluster', because, { recheckMs: departureMs });
}

async function hasKey(
  { metadata: { namespace = '' }, spec }: NixNode,
  read: Context['read'],
): Promise<boolean> {
  try {
    await read.load(SecretKind, namespace, spec.ssh.keyRef.name);
    return true;
  } catch (error) {
    if (error instanceof ReconcileError && error.reason === 'SecretNotFound') return false;
    throw error;
  }
}

/** Whether the cluster has seen how the host was left: its index may be given away, or must not. */
function isNoticed(node: NixNode, context: Context): boolean {
  const cluster = clusterNamedBy(node, context.read);
  if (!cluster || cluster.metadata.deletionTimestamp) return true;
  return !cluster.status?.nodes?.some(({ uid }) => uid === node.metadata.uid);
}

type Leaving = (node: NixNode, context: Context, services: Services, fences: Fences) => Promise<Left>;

/** The host stays as it is. That it is told so is a courtesy, and one that does not answer is not waited for. */
const letGo: Leaving = async (node, context, services, fences) => {
  try {
    const visit = await reach(node, context, services, fences);
    const { owner, release0, trial } = visit.seen;
    // What is on trial is brought to its end first: until then the host keeps its owner.
    if (owner && !isOfOther(visit) && trial?.state === 'AwaitingConfirmation')
      await confirmTrial(visit, trial);
    if (!owner && !release0) await depart(visit);
    else if (owner && !isOfOther(visit)) await act(visit, 'disown', {});
    context.event('Normal', 'Orphaned', `the host is left as it is${whose(visit)}`);
  } catch (error) {
    context.signal.throwIfAborted();
    // On trial: it ends by itself, and only then the host lets go of its owner.
    if (isBusy(error) && remainingMs(node, context) > 0) throw withRecheck(error, soonMs);
    const message = `the host is left as it is, and was not told: ${wordsOf(error)}. Who takes it over must adopt it`;
    context.event('Warning', 'Orphaned', message);
  }
  return 'Orphaned';
};

/** Back to what ran before Firn. The deadline holds for a host that does not answer, and for one that does not get on. */
const resetHost: Leaving = async (node, context, services, fences) => {
  const remaining = remainingMs(node, context);
  const { deletionTimeout } = node.spec;
  let why = 'it is still at it';
  try {
    const left = await reset(node, context, services, fences);
    if (left !== null || remaining > 0) return left;
  } catch (error) {
    context.signal.throwIfAborted();
    if (remaining > 0) throw withRecheck(error, isBusy(error) ? soonMs : Math.min(remaining, retryMs));
    why = wordsOf(error);
  }
  const message = `the host could not be reset within ${deletionTimeout} and is left as it is: ${why}`;
  context.event('Warning', 'ResetTimedOut', message);
  return 'TimedOut';
};

const remainingMs = ({ metadata, spec }: NixNode, { clock }: Context): number =>
  Date.parse(metadata.deletionTimestamp ?? '') + parseDuration(spec.deletionTimeout) - clock.now();

/** Starts the reset, or says whether it is over. Throws `ReconcileError` where it does not get on. */
const reset: Leaving = async (node, context, services, fences) => {
  const visit = await reach(node, context, services, fences);
  const { owner, release0, reset: job } = visit.seen;
  if (isOfOther(visit)) {
    context.event('Warning', 'Orphaned', `the host is not reset${whose(visit)}`);
    return 'Orphaned';
  }
  if (!owner && !release0) {
    await depart(visit);
    context.event('Normal', 'Reset', `nothing of Firn is left on the host; ${whatRuns(visit)}`);
    return 'Reset';
  }
  if (job?.state === 'Running') return null;
  if (job?.state === 'Failed' && visit.seen.time - job.startedAt < retryMs / 1000) {
    throw new ReconcileError('transient', 'ResetFailed', `${job.messageB64}; it is tried again`);
  }
  await act(visit, 'reset', {});
  return null;
};

/** Whether another installation deploys there, or another NixNode: the deletion of this one is not about the host. */
function isOfOther({ seen: { owner }, services, node }: Visit): boolean {
  const { namespace, name } = node.metadata;
  const isSame =
    owner?.installation === services.installation.id && owner.ownerB64 === `${namespace}/${name}`;
  return owner !== null && !isSame;
}

/** A release that needs another kernel or init system is left by a restart. */
const whatRuns = ({ seen: { running } }: Visit): string =>
  running.profile === null || running.profile === running.system
    ? 'it runs what ran before'
    : `what ran before (${running.profile}) takes effect with a restart of the host`;

const whose = (visit: Visit): string =>
  isOfOther(visit)
    ? `: it belongs to ${visit.seen.owner?.ownerB64} of the installation ${visit.seen.owner?.installation}`
    : ', for anyone to take over';

const isBusy = (error: unknown): boolean => error instanceof ReconcileError && error.reason === 'Busy';

const wordsOf = (error: unknown): string =>
  error instanceof ReconcileError ? error.message : 'an unexpected error';

/** Retried until the deadline of the deletion, however the failure would be retried otherwise. */
function withRecheck(error: unknown, recheckMs: number): unknown {
  if (!(error instanceof ReconcileError)) return error;
  return new ReconcileError('transient', error.reason, error.message, { cause: error, recheckMs });
}
