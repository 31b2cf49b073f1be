/** Objects of any kind in a cluster that is not ours alone: applied without taking what others keep, looked at, deleted. */

import type { Metadata } from '../../../crds/resource.ts';
import { apiVersionOf } from '../../../crds/resource.ts';
import { ReconcileError } from '../core/outcome.ts';
import { Sealed } from '../core/sealed.ts';
import type { KubeClient, Named } from './client.ts';
import { isConflict, isNotFound, KubeError, parseStatus } from './kube-error.ts';
import { pathOf } from './path.ts';
import { readServedKinds, type ServedKind, type ServedKinds } from './served-kinds.ts';

/** A field, in the words of the API server, and the field manager that keeps it. */
export type FieldConflict = { field: string; manager: string };

export type Taken =
  | { outcome: 'applied'; object: unknown }
  /** Nothing was changed. */
  | { outcome: 'conflict'; conflicts: FieldConflict[] }
  /** `words`: the server's own, which may quote the object; `summary` never does. */
  | { outcome: 'refused'; status: number; summary: string; words: Sealed<string> };

export type AnyObjects = {
  /** `fresh`: asked anew, because a kind may have come; otherwise as it was asked last. */
  kinds(age: 'known' | 'fresh', signal: AbortSignal): Promise<ServedKinds>;
  apply(
    kind: ServedKind,
    object: { metadata: object },
    target: Partial<Named> & { name: string },
    how: { fieldManager: string; force: boolean },
    signal: AbortSignal,
  ): Promise<Taken>;
  /** Undefined where there is none. */
  look(kind: ServedKind, target: Target, signal: AbortSignal): Promise<Metadata | undefined>;
  /** Of exactly that object; one that is gone already, or in whose place is another, is as good. */
  remove(kind: ServedKind, target: Target & { uid: string }, signal: AbortSignal): Promise<void>;
};
type Target = { namespace?: string | undefined; name: string };

const deadlineMs = 30_000;

/** By client, which lives as long as the way to its cluster stays the same. */
const known = new WeakMap<KubeClient, ServedKinds>();

/** `where` names the cluster in messages. Every method throws `ReconcileError` where the cluster does not answer. */
export function anyObjectsOf(client: KubeClient, where: string): AnyObjects {
  const answered = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      throw failedThere(error, where);
    });
  return {
    async kinds(age, signal) {
      const before = known.get(client);
      if (before && age === 'known') return before;
      const kinds = await answered(readServedKinds(client, signal));
      known.set(client, kinds);
      return kinds;
    },
    apply: (kind, object, target, how, signal) => answered(apply(client, kind, object, target, how, signal)),
    look: (kind, target, signal) => answered(look(client, kind, target, signal)),
    remove: (kind, target, signal) => answered(remove(client, kind, target, signal)),
  };
}

/** What a server says about itself, and not about an object, passes or is repaired there. `where` names the cluster. */
export function failedThere(error: unknown, where: string): unknown {
  if (!(error instanceof KubeError) || error.reason === 'Aborted') return error;
  const message = `the API of ${where} did not do what it was asked: ${error.message}`;
  return new ReconcileError('transient', 'ClusterApiFailed', message, { cause: error });
}

async function apply(
  client: KubeClient,
  kind: ServedKind,
  object: { metadata: object },
  target: Target,
  { fieldManager, force }: { fieldManager: string; force: boolean },
  signal: AbortSignal,
): Promise<Taken> {
  const body = { ...object, apiVersion: apiVersionOf(kind), kind: kind.kind };
  // A misspelt field would be dropped without a word.
  const query = { fieldManager, force: String(force), fieldValidation: 'Strict' };
  const call = { signal, deadlineMs, query, body, contentType: 'application/apply-patch+yaml' };
  try {
    return { outcome: 'applied', object: await client.raw('PATCH', pathOf(kind, target), call) };
  } catch (error) {
    if (!(error instanceof KubeError) || error.status < 400 || error.status === 401) throw error;
    const conflicts = conflictsIn(error);
    if (conflicts.length > 0) return { outcome: 'conflict', conflicts };
    const { message = '' } = parseStatus(error.answer.open());
    return { outcome: 'refused', status: error.status, summary: error.message, words: new Sealed(message) };
  }
}

function conflictsIn(error: KubeError): FieldConflict[] {
  const causes = parseStatus(error.answer.open()).details?.causes ?? [];
  return causes
    .filter(({ reason }) => reason === 'FieldManagerConflict')
    .map(({ field = '', message = '' }) => ({
      field,
      manager: /^conflict with "([^"]*)"/.exec(message)?.[1] ?? 'somebody',
    }));
}

const metadataOnly = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';

async function look(
  client: KubeClient,
  kind: ServedKind,
  target: Target,
  signal: AbortSignal,
): Promise<Metadata | undefined> {
  try {
    const options = { signal, deadlineMs, accept: metadataOnly };
    return ((await client.raw('GET', pathOf(kind, target), options)) as { metadata: Metadata }).metadata;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

async function remove(
  client: KubeClient,
  kind: ServedKind,
  { namespace, name, uid }: Target & { uid: string },
  signal: AbortSignal,
): Promise<void> {
  // What it owns goes with it, as with kubectl.
  const body = { preconditions: { uid }, propagationPolicy: 'Background' };
  try {
    await client.raw('DELETE', pathOf(kind, { namespace, name }), { signal, deadlineMs, body });
  } catch (error) {
    if (!isNotFound(error) && !isConflict(error)) throw error;
  }
}
