/** Which kinds a cluster serves, and under which paths: aggregated discovery (apidiscovery.k8s.io/v2), two requests for all. */
import type { KubeObject } from '../../../crds/resource.ts';
import type { Kind, KubeClient } from './client.ts';

export type ServedKind = Kind & { readonly verbs: readonly string[] };

export type ServedKinds = {
  find(group: string, version: string, kind: string): ServedKind | undefined;
  /** In whatever version it is served. */
  findAny(group: string, kind: string): ServedKind | undefined;
};

type Resource = {
  resource?: string;
  responseKind?: { kind?: string };
  scope?: string;
  verbs?: string[];
};
type Groups = {
  items?: { metadata?: { name?: string }; versions?: { version?: string; resources?: Resource[] }[] }[];
};

const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
const deadlineMs = 30_000;

/** Throws `KubeError`. */
export async function readServedKinds(client: KubeClient, signal: AbortSignal): Promise<ServedKinds> {
  const ask = (path: string) => client.raw('GET', path, { signal, deadlineMs, accept }) as Promise<Groups>;
  const [core, groups] = await Promise.all([ask('/api'), ask('/apis')]);
  return servedKindsIn([core, groups]);
}

function servedKindsIn(answers: readonly Groups[]): ServedKinds {
  const byId = new Map<string, ServedKind>();
  const anyById = new Map<string, ServedKind>();
  for (const { metadata, versions = [] } of answers.flatMap(({ items = [] }) => items)) {
    const group = metadata?.name ?? '';
    for (const { version = '', resources = [] } of versions) {
      for (const kind of resources.flatMap((resource) => kindOf(group, version, resource))) {
        byId.set(`${group}/${version}/${kind.kind}`, kind);
        // The server names the version first that it prefers.
        if (!anyById.has(`${group}/${kind.kind}`)) anyById.set(`${group}/${kind.kind}`, kind);
      }
    }
  }
  return {
    find: (group, version, kind) => byId.get(`${group}/${version}/${kind}`),
    findAny: (group, kind) => anyById.get(`${group}/${kind}`),
  };
}

function kindOf(
  group: string,
  version: string,
  { resource, responseKind, scope, verbs }: Resource,
): ServedKind[] {
  if (!resource || !responseKind?.kind) return [];
  const parse = (raw: unknown) => raw as KubeObject;
  const place = { group, version, kind: responseKind.kind, plural: resource };
  return [{ ...place, namespaced: scope === 'Namespaced', verbs: verbs ?? [], parse }];
}
