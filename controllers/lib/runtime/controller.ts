import type { Logger } from 'pino';
import type { KubeObject, Metadata, ResourceKind } from '../../../crds/resource.ts';
import type { Clock } from '../core/clock.ts';

/** Names an object of a kind that goes without saying. `namespace` is empty for cluster-scoped kinds. */
export type ObjectKey = { readonly namespace: string; readonly name: string };

/** Names a primary to wake; an object's metadata will do. */
export type Woken = { readonly namespace?: string; readonly name: string };

/** What is known of an object whose kind is watched by metadata only (`PartialObjectMetadata`). */
export type ObjectMetadata = { readonly metadata: Metadata };

/**
 * How objects of one kind are found by a value, e.g. NixNodes by the name of a Secret they use. Make it
 * once, at module level: the store builds it at the first `by` and keeps it up to date from then on.
 */
export type Index<O extends KubeObject> = {
  readonly kind: ResourceKind<O>;
  readonly valuesOf: (object: O) => Iterable<string>;
};

/** The cache as `keysOf` sees it. Objects that do not parse are left out. */
export type CacheReader = {
  get<O extends KubeObject>(kind: ResourceKind<O>, namespace: string, name: string): O | undefined;
  /** Sorted by name. */
  list<O extends KubeObject>(kind: ResourceKind<O>, namespace: string): readonly O[];
  /** Objects of one namespace for which `index.valuesOf` gave `value`, sorted by name. */
  by<O extends KubeObject>(index: Index<O>, namespace: string, value: string): readonly O[];
};

/**
 * The cache as a reconcile sees it: the primary's kind and the declared inputs, nothing else. Objects are
 * deeply frozen. An object that does not parse throws `waiting` (`<Kind>Invalid`, with the parser's words)
 * wherever it would have been returned: leaving it out silently would deploy something else than was asked.
 */
export type Reader = CacheReader & {
  /** Absent: throws `waiting` with reason `<Kind>NotFound`; the watch wakes the primary when it appears. */
  require<O extends KubeObject>(kind: ResourceKind<O>, namespace: string, name: string): O;
  /**
   * The whole object of a kind that was declared with `referenced`, at least as new as the metadata in the
   * cache. Fetched when first asked for, then kept until it changes. Absent: throws like `require`.
   */
  load<O extends KubeObject>(kind: ResourceKind<O>, namespace: string, name: string): Promise<O>;
};

/** A kind that a controller reads, and whom a change of one object of it concerns. */
export type Input = {
  readonly kind: ResourceKind<KubeObject>;
  /** `metadata`: only metadata is watched and cached; whole objects are fetched by `read.load`. */
  readonly holds: 'objects' | 'metadata';
  readonly keysOf: (object: KubeObject, read: CacheReader) => Iterable<Woken>;
  /** What of an object matters to all of them; absent: all of it. */
  readonly about?: (object: KubeObject) => unknown;
  /** What of an object matters to one of them alone: asked once about an object, then for each key. */
  readonly aboutEach?: (object: KubeObject) => (woken: Woken) => unknown;
};

/**
 * `keysOf` names the primaries to wake; it is asked about the object before and after a change. A change that leaves
 * what `about` returns as it was wakes nobody, or those alone for whom what `aboutEach` returns is another: status that
 * moves all the time must not wake a thousand readers.
 */
export function input<O extends KubeObject>(
  kind: ResourceKind<O>,
  keysOf: (object: O, read: CacheReader) => Iterable<Woken>,
  about?: (object: O) => unknown,
  aboutEach?: (object: O) => (woken: Woken) => unknown,
): Input {
  return {
    kind,
    holds: 'objects',
    keysOf: keysOf as Input['keysOf'],
    ...(about && { about: about as NonNullable<Input['about']> }),
    ...(aboutEach && { aboutEach: aboutEach as NonNullable<Input['aboutEach']> }),
  };
}

/**
 * For Secrets and ConfigMaps: the watch carries metadata only and the operator holds the values of just
 * those objects that a reconcile loaded. (RBAC cannot express "referenced only", memory can.)
 */
export function referenced<O extends KubeObject>(
  kind: ResourceKind<O>,
  keysOf: (object: ObjectMetadata, read: CacheReader) => Iterable<Woken>,
): Input {
  return { kind, holds: 'metadata', keysOf: keysOf as Input['keysOf'] };
}

/** What wakes keys beside the objects of the inputs: for what a controller follows by itself, elsewhere. */
export type Source = {
  /** From when the controller is at work until `signal` aborts; `wake` of what is no primary does nothing. */
  run(wake: (primary: Woken) => void, signal: AbortSignal): Promise<void>;
  /** The primary is gone. */
  forget(primary: ObjectKey): void;
};

export type ControllerDefinition<T extends KubeObject> = {
  /** Also the field manager, as `firn-<name>`, and the `controller` of metrics, logs and events. */
  readonly name: string;
  readonly primary: ResourceKind<T>;
  readonly inputs: readonly Input[];
  /** In order. `Ready`, `Reconciling` and `Stalled` are the runtime's. */
  readonly conditions: readonly string[];
  readonly source?: Source;
  /** E.g. `firn.dev/nixnode`: set before the first reconcile, removed when `finalize` says `done`. */
  readonly finalizer?: string;
  /** After this long the reconcile is aborted and retried; milliseconds, 2 minutes unless given. */
  readonly deadlineMs?: number;
  /** Resolves when the primary is as desired; throws `ReconcileError` when not, or not yet. */
  readonly reconcile: (primary: T, context: Context<T>) => Promise<{ recheckMs: number }>;
  /** Called instead of `reconcile` once the primary is being deleted. */
  readonly finalize?: (primary: T, context: Context<T>) => Promise<'done' | { recheckMs: number }>;
};

type StatusOf<T> = T extends { status?: infer S } ? NonNullable<S> : Record<string, unknown>;
type RuntimeField = 'conditions' | 'observedGeneration' | 'summary';

/** Fields of a status that a controller may set; `undefined` removes a field. */
export type Reported<T> = {
  [F in Exclude<keyof StatusOf<T>, RuntimeField>]?: StatusOf<T>[F] | undefined;
};

export type Context<T extends KubeObject> = {
  readonly read: Reader;
  /**
   * Runs the work that one condition speaks of: True when it returns, False with reason and message of the
   * `ReconcileError` when it throws, which it goes on doing. A condition whose step is not reached keeps
   * its former status and observedGeneration.
   */
  step<R>(condition: string, work: () => Promise<R> | R): Promise<R>;
  /** The condition is not about this object: it has none of that type. */
  without(condition: string): void;
  /** Merged into the status, field by field at the top level, that is written once at the end, also after a throw. */
  report(fields: Reported<T>): void;
  /** The word in the STATUS column; without it, the reason of Ready. */
  summary(word: string): void;
  /**
   * The exception to "once at the end", before an action that takes minutes or must not be taken twice:
   * writes what was reported so far with Ready False (`Progressing`), guarded by the resourceVersion that
   * this reconcile has read. Throws `transient` (`Conflict`) if somebody changed the object meanwhile.
   */
  publishNow(): Promise<void>;
  /** Deduplicated and rate-limited. `reason` is CamelCase and stable; no secrets in `message`. */
  event(type: 'Normal' | 'Warning', reason: string, message: string): void;
  readonly clock: Clock;
  /** Aborted by the reconcile's deadline, by shutdown and by the loss of leadership. */
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** Failures of this object in a row before this reconcile. */
  readonly attempt: number;
};

/** A controller as the manager takes it, its type of primary hidden. */
export type Controller = ControllerDefinition<KubeObject>;

/** Checks what the types cannot; the result is data that the manager interprets. */
export function defineController<T extends KubeObject>(definition: ControllerDefinition<T>): Controller {
  if (!/^[a-z][a-z0-9-]*$/.test(definition.name))
    throw new Error(`not a controller's name: ${definition.name}`);
  const reserved = definition.conditions.filter((type) => runtimeConditions.includes(type));
  if (reserved.length > 0) throw new Error(`${definition.name}: the runtime owns ${reserved.join(', ')}`);
  if ((definition.finalizer === undefined) !== (definition.finalize === undefined)) {
    throw new Error(`${definition.name}: finalizer and finalize belong together`);
  }
  return definition as unknown as Controller;
}

const runtimeConditions = ['Ready', 'Reconciling', 'Stalled'];
