import type { Applied, Kind, KubeClient, Named } from './client.ts';
import { isNotFound, KubeError } from './kube-error.ts';

/** What a controller writes beside its own status; its role has these verbs and no more. */
export type Writes = {
  /** Kinds of which it makes objects where there are none. */
  readonly creates?: readonly Kind[];
  /** Kinds of which it changes objects that it made. */
  readonly patches?: readonly Kind[];
  /** Kinds of which it deletes objects that it made. */
  readonly deletes?: readonly Kind[];
};

/** Objects that outlive whoever asked for them. Every method throws `KubeError`, and its text has no content of theirs. */
export type Objects = {
  /**
   * Never replaces anything: `exists` when there is one of that name, whatever it says. The cache shows the object a
   * moment later; who needs it waits for the watch.
   */
  create(kind: Kind, object: Applied, signal: AbortSignal): Promise<'created' | 'exists'>;
  /** RFC 7386, of exactly that version: 409 if somebody changed it meanwhile. */
  patch(
    kind: Kind,
    target: Named & { resourceVersion: string },
    patch: Readonly<Record<string, unknown>> & { metadata?: object },
    signal: AbortSignal,
  ): Promise<void>;
  /** Of exactly that object; one that is gone already is as good. */
  delete(kind: Kind, target: Named & { uid: string }, signal: AbortSignal): Promise<void>;
};

const deadlineMs = 15_000;

/** Throws where a kind was not declared: the API server would refuse it, in clusters with roles alone. */
export function objectsOf(client: KubeClient, declared: Writes): Objects {
  const check = (verb: keyof Writes, kind: Kind) => {
    const has = declared[verb]?.some(({ group, plural }) => group === kind.group && plural === kind.plural);
    if (!has) throw new Error(`${kind.kind} is not among what the controller ${verb}`);
  };
  return {
    async create(kind, object, signal) {
      check('creates', kind);
      try {
        await client.create(kind, object, { signal, deadlineMs });
        return 'created';
      } catch (error) {
        if (error instanceof KubeError && error.reason === 'AlreadyExists') return 'exists';
        throw error;
      }
    },
    async patch(kind, { namespace, name, resourceVersion }, patch, signal) {
      check('patches', kind);
      const guarded = { ...patch, metadata: { ...patch.metadata, resourceVersion } };
      await client.mergePatch(kind, { namespace, name }, guarded, { signal, deadlineMs });
    },
    async delete(kind, target, signal) {
      check('deletes', kind);
      try {
        await client.delete(kind, target, { signal, deadlineMs });
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    },
  };
}
