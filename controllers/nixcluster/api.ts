/** The API of a cluster: whether it answers, how soon, and what the operator may do there. */

import { clip } from '../lib/core/clip.ts';
import type { Clock } from '../lib/core/clock.ts';
import { ReconcileError } from '../lib/core/outcome.ts';
import type { KubeClient } from '../lib/kube/client.ts';
import { KubeError } from '../lib/kube/kube-error.ts';

export type Seen = { version: string; latencyMs: number };

/** A look must not hold up what else the cluster needs. */
const deadlineMs = 10_000;

/** Throws `KubeError`, or `progressing` while the API server starts. */
export async function lookAtApi(client: KubeClient, clock: Clock, signal: AbortSignal): Promise<Seen> {
  const get = (path: string) => client.raw('GET', path, { signal, deadlineMs });
  await get('/readyz').catch(async (error: unknown) => {
    // The connection may have died while nobody used it: what follows goes over another one.
    if (isSilence(error) && !signal.aborted) return get('/readyz');
    throw error;
  });
  // The first answer may have taken a login, so this is the one that is measured.
  const startedAt = clock.now();
  const said = (await get('/version')) as { gitVersion?: unknown } | null;
  const latencyMs = Math.max(1, clock.now() - startedAt);
  const version = typeof said?.gitVersion === 'string' ? clip(said.gitVersion, 64) : '';
  return { version, latencyMs };
}

const isSilence = (error: unknown): boolean =>
  error instanceof KubeError && error.status === 0 && error.words === undefined;

/** To one digit, and as it was unless it became twice as long or half: what moves all the time says nothing in a status. */
export function roundedLatency(ms: number, before: number | undefined): number {
  if (before !== undefined && ms > before / 2 && ms < before * 2) return before;
  const unit = 10 ** Math.floor(Math.log10(Math.max(1, ms)));
  return Math.round(ms / unit) * unit;
}

/** What a failed call to a target cluster means. `wasThere`: whether it has answered before. */
export function asTargetError(error: unknown, wasThere: boolean): unknown {
  if (!(error instanceof KubeError)) return error;
  // Whoever follows the cluster is woken when it is heard again; this is the net, and the way until it first is.
  const [verdict, recheckMs] = wasThere ? (['waiting', 60_000] as const) : (['progressing', 10_000] as const);
  const options = { cause: error, recheckMs };
  if (error.status === 0) {
    const message = error.words ?? `the API server does not answer: ${error.reason}`;
    return new ReconcileError(verdict, 'ApiUnreachable', message, options);
  }
  if (error.status === 401) {
    const message =
      'the API server does not know the operator by a certificate of the ClusterPKI: compare the clocks, and the authority on the hosts (spec.import, a restored backup)';
    return new ReconcileError('waiting', 'ApiRefuses', message, options);
  }
  if (error.status === 403) {
    const message = 'the API server has yet to learn what the operator may do there';
    return new ReconcileError('progressing', 'ApiRefuses', message, { cause: error, recheckMs: 2_000 });
  }
  if (error.status >= 500) {
    const message = `the API server answers that it is not ready (${error.status} ${error.reason}); its log, and that of its datastore, say why`;
    return new ReconcileError(verdict, 'ApiNotReady', message, options);
  }
  const reason = error.status === 409 ? 'Conflict' : 'ApiServerFailed';
  return new ReconcileError('transient', reason, `in the cluster: ${error.message}`, { cause: error });
}
