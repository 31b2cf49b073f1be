/** What every object of the Kubernetes API carries, as far as Firn reads it (apimachinery `ObjectMeta`). */
export type Metadata = {
  name: string;
  namespace?: string;
  uid: string;
  resourceVersion: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: { apiVersion: string; kind: string; name: string; uid: string; controller?: boolean }[];
};

export type KubeObject = { apiVersion: string; kind: string; metadata: Metadata };

/** One kind of the Kubernetes API: where it is served, and how an object of it is made trustworthy. */
export type ResourceKind<T extends KubeObject> = {
  /** API group; empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  /** Hostile object in, typed object out. Throws an `Error` whose message names path and rule, never a value of a Secret. */
  readonly parse: (raw: unknown) => T;
};

export const apiVersionOf = (kind: { group: string; version: string }): string =>
  kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;
