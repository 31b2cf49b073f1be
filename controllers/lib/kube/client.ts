import type { Readable } from 'node:stream';
import type { KubeConfig } from '@kubernetes/client-node';
import { apiVersionOf, type KubeObject, type Metadata, type ResourceKind } from '../../../crds/resource.ts';
import type { Clock } from '../core/clock.ts';
import { pathOf } from './path.ts';
import { type SessionSource, Sessions } from './session.ts';
import { type Call, sendForAny, sendForJson, sendForStream } from './transport.ts';

/** An object as the server sent it: nothing but its metadata is to be relied on before `kind.parse`. */
export type RawObject = KubeObject & { [field: string]: unknown };
export type Kind = ResourceKind<KubeObject>;
export type Named = { namespace: string; name: string };
export type Page = { items: RawObject[]; resourceVersion: string; continue: string };
/** What an applied object says; `metadata.resourceVersion` makes the server refuse any other version (409). */
export type Applied = { metadata: Named & Partial<Metadata>; [field: string]: unknown };

type Options = { signal: AbortSignal; deadlineMs?: number };
type ListOptions = Options & {
  namespace?: string | undefined;
  limit?: number;
  continue?: string;
  holds?: Holds;
  labelSelector?: string | undefined;
};
type WatchOptions = Options & {
  namespace?: string | undefined;
  resourceVersion: string;
  timeoutSeconds: number;
  holds?: Holds;
  labelSelector?: string | undefined;
};
type ApplyOptions = Options & { fieldManager: string; subresource?: 'status' };
export type RawOptions = Options & Pick<Call, 'query' | 'body' | 'contentType' | 'accept'>;
/** `metadata` asks the server to leave everything else out (`PartialObjectMetadata`). */
export type Holds = 'objects' | 'metadata';

/** The verbs that Firn uses, over one pool of connections. Every method throws `KubeError` and nothing else. */
export class KubeClient {
  readonly #sessions: SessionSource;

  /** `from`: how a kubeconfig is read, or whatever else knows the way to a server. */
  constructor(from: (() => KubeConfig) | SessionSource, clock: Clock) {
    this.#sessions = typeof from === 'function' ? new Sessions(from, clock) : from;
  }

  /** One page; pass its `continue` back for the next, until it is empty. */
  async list(kind: Kind, options: ListOptions): Promise<Page> {
    const query: Record<string, string> = {};
    if (options.limit) query.limit = String(options.limit);
    if (options.continue) query.continue = options.continue;
    if (options.labelSelector) query.labelSelector = options.labelSelector;
    const accept = acceptOf(options.holds, 'List');
    const list = (await this.#json('GET', pathOf(kind, options), options, { query, accept })) as {
      metadata?: { resourceVersion?: string; continue?: string };
      items?: RawObject[] | null;
    };
    // Items of built-in lists come without their type.
    const type = { apiVersion: apiVersionOf(kind), kind: kind.kind };
    return {
      items: (list.items ?? []).map((item) => Object.assign(item, type)),
      resourceVersion: list.metadata?.resourceVersion ?? '',
      continue: list.metadata?.continue ?? '',
    };
  }

  /** The raw stream of a watch: one JSON document a line, bookmarks among them. */
  watch(kind: Kind, options: WatchOptions): Promise<Readable> {
    const query = {
      watch: '1',
      allowWatchBookmarks: 'true',
      resourceVersion: options.resourceVersion,
      timeoutSeconds: String(options.timeoutSeconds),
      ...(options.labelSelector && { labelSelector: options.labelSelector }),
    };
    const call = { query, accept: acceptOf(options.holds, '') };
    return sendForStream(this.#sessions, callOf('GET', pathOf(kind, options), options, call));
  }

  async get(kind: Kind, target: Named, options: Options): Promise<RawObject> {
    return (await this.#json('GET', pathOf(kind, target), options)) as RawObject;
  }

  async create(kind: Kind, object: Applied, options: Options): Promise<RawObject> {
    const path = pathOf(kind, { namespace: object.metadata.namespace });
    return (await this.#json('POST', path, options, { body: typed(kind, object) })) as RawObject;
  }

  /** Server-side apply, taking over fields that others hold: one writer per field is our rule, not the server's. */
  async apply(kind: Kind, object: Applied, options: ApplyOptions): Promise<RawObject> {
    const { namespace, name } = object.metadata;
    const path = pathOf(kind, {
      namespace,
      name,
      ...(options.subresource ? { subresource: options.subresource } : {}),
    });
    const query = { fieldManager: options.fieldManager, force: 'true' };
    const extra = { body: typed(kind, object), query, contentType: 'application/apply-patch+yaml' };
    return (await this.#json('PATCH', path, options, extra)) as RawObject;
  }

  /** RFC 7386. With `metadata.resourceVersion` in the patch the server refuses it (409) if the object moved on. */
  async mergePatch(kind: Kind, target: Named, patch: object, options: Options): Promise<RawObject> {
    const extra = { body: patch, contentType: 'application/merge-patch+json' };
    return (await this.#json('PATCH', pathOf(kind, target), options, extra)) as RawObject;
  }

  /** `uid` guards against deleting a namesake that came later. */
  async delete(kind: Kind, target: Named & { uid?: string }, options: Options): Promise<void> {
    const body = target.uid ? { preconditions: { uid: target.uid } } : {};
    await this.#json('DELETE', pathOf(kind, target), options, { body });
  }

  /**
   * Any endpoint: health, discovery, subresources. `path` is taken as it is, so whoever makes one of names encodes them
   * (`pathOf`). JSON comes parsed, anything else as text.
   */
  raw(method: Call['method'], path: string, options: RawOptions): Promise<unknown> {
    const { query, body, contentType, accept } = options;
    const extra: Partial<Call> = {
      ...(query && { query }),
      ...(body !== undefined && { body }),
      ...(contentType && { contentType }),
      ...(accept && { accept }),
    };
    return sendForAny(this.#sessions, callOf(method, path, options, extra));
  }

  /** Breaks off whatever is under way. */
  close(): Promise<void> {
    return this.#sessions.close();
  }

  #json(method: Call['method'], path: string, options: Options, extra: Partial<Call> = {}): Promise<unknown> {
    return sendForJson(this.#sessions, callOf(method, path, options, extra));
  }
}

const callOf = (method: Call['method'], path: string, options: Options, extra: Partial<Call>): Call => ({
  ...extra,
  method,
  path,
  signal: options.signal,
  ...(options.deadlineMs === undefined ? {} : { deadlineMs: options.deadlineMs }),
});

const typed = (kind: Kind, object: Applied) => ({
  apiVersion: apiVersionOf(kind),
  kind: kind.kind,
  ...object,
});

const acceptOf = (holds: Holds | undefined, suffix: 'List' | ''): string =>
  holds === 'metadata'
    ? `application/json;as=PartialObjectMetadata${suffix};g=meta.k8s.io;v=v1`
    : 'application/json';
