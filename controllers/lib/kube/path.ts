import type { KubeObject, ResourceKind } from '../../../crds/resource.ts';

/** What the server may be asked for of one kind: all of it, a namespace's, one object, a subresource. */
export type Target = { namespace?: string | undefined; name?: string; subresource?: string };

/** The path of a REST endpoint of the Kubernetes API, each part encoded. */
export function pathOf(kind: ResourceKind<KubeObject>, target: Target = {}): string {
  const parts = kind.group === '' ? ['api', kind.version] : ['apis', kind.group, kind.version];
  if (kind.namespaced && target.namespace) parts.push('namespaces', target.namespace);
  parts.push(kind.plural);
  if (target.name !== undefined) parts.push(named(target.name));
  if (target.subresource) parts.push(target.subresource);
  return `/${parts.map(encodeURIComponent).join('/')}`;
}

/** An empty name would address the whole collection, and a delete of that is not what anybody meant. */
function named(name: string): string {
  if (name === '' || name === '.' || name === '..') throw new Error('not the name of an object');
  return name;
}
