/** What happens on the host when its NixNode goes: nothing, or all the way back. */
import { type NixNode, parseDuration } from '../../crds/index.ts';
import { ReconcileError } from '../lib/core/outcome.ts';
import { SecretKind } from '../lib/kube/core-kinds.ts';
import type { Fences } from './fence.ts';
import type { Services } from './services.ts';
import { act, type Context, reach } from './visit.ts';

type Outcome = 'done' | { recheckMs: number };

export async function finalizeNode(
  node: NixNode,
  context: Context,
  services: Services,
  fences: Fences,
): Promise<Outcome> {
  const { uid, namespace = '', deletionTimestamp = '' } = node.metadata;
  const { deletionPolicy, deletionTimeout, ssh } = node.spec;
  const keyIsThere = context.read.get(SecretKind, namespace, ssh.keyRef.name) !== undefined;
  const remainingMs = Date.parse(deletionTimestamp) + parseDuration(deletionTimeout) - context.clock.now();
  const end = (): 'done' => {
    fences.delete(uid);
    services.hosts.forget(uid);
    return 'done';
  };
  if (deletionPolicy === 'Orphan' || !keyIsThere) {
    if (keyIsThere) await letGo(node, context, services, fences);
    const why =
      deletionPolicy === 'Reset' ? `: Secret ${ssh.keyRef.name} is gone, so it cannot be reset` : '';
    context.event(why ? 'Warning' : 'Normal', 'Orphaned', `the host is left as it is${why}`);
    return end();
  }
  try {
    return (await isReset(node, context, services, fences)) ? end() : { recheckMs: 1_000 };
  } catch (error) {
    if (remainingMs > 0) throw withRecheck(error, Math.min(remainingMs, 15_000));
    const message = `the host could not be reset within ${deletionTimeout} and is left as it is: ${wordsOf(error)}`;
    context.event('Warning', 'ResetTimedOut', message);
    return end();
  }
}

/** A courtesy, so that another installation may take the host over: a host that does not answer is not waited for. */
async function letGo(node: NixNode, context: Context, services: Services, fences: Fences): Promise<void> {
  try {
    const visit = await reach(node, context, services, fences);
    if (visit.seen.owner?.installation === services.installation.id) await act(visit, 'disown', {});
  } catch (error) {
    context.log.info({ reason: wordsOf(error) }, 'the host was not told that it is let go');
  }
}

/** Starts the reset, or says whether it is over. Throws `ReconcileError` where it does not get on. */
async function isReset(
  node: NixNode,
  context: Context,
  services: Services,
  fences: Fences,
): Promise<boolean> {
  const visit = await reach(node, context, services, fences);
  const { owner, release0, reset } = visit.seen;
  if (!owner && !release0) return true;
  if (reset?.state === 'Running') return false;
  if (reset?.state === 'Failed' && visit.seen.time - reset.startedAt < 30) {
    throw new ReconcileError('transient', 'ResetFailed', reset.messageB64);
  }
  await act(visit, 'reset', {});
  return false;
}

const wordsOf = (error: unknown): string =>
  error instanceof ReconcileError ? error.message : 'an unexpected error';

/** Retried until the deadline of the deletion, however the failure would be retried otherwise. */
function withRecheck(error: unknown, recheckMs: number): unknown {
  if (!(error instanceof ReconcileError)) return error;
  return new ReconcileError('transient', error.reason, error.message, { cause: error, recheckMs });
}
