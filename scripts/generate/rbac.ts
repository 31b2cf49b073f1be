import type { Input } from '../../controllers/lib/runtime/controller.ts';
import type { ResourceKind } from '../../crds/resource.ts';

/** rbac/v1 `PolicyRule`. */
export type PolicyRule = { apiGroups: string[]; resources: string[]; verbs: string[] };

type Kind = Pick<ResourceKind<never>, 'group' | 'plural'>;
export type Declaration = {
  readonly primary: Kind;
  readonly inputs: readonly Pick<Input, 'kind'>[];
  readonly finalizer?: string;
  readonly creates?: readonly Kind[];
  readonly patches?: readonly Kind[];
  readonly deletes?: readonly Kind[];
};

const read = ['get', 'list', 'watch'];

/** What controllers need in every namespace that they look after, and nothing beyond it. */
export function rulesFor(declarations: readonly Declaration[]): PolicyRule[] {
  const rules = new Map<string, PolicyRule>();
  const allow = (group: string, resource: string, verbs: readonly string[]) => {
    const key = `${group}/${resource}`;
    const before = rules.get(key)?.verbs ?? [];
    const union = [...new Set([...before, ...verbs])].sort();
    rules.set(key, { apiGroups: [group], resources: [resource], verbs: union });
  };
  for (const { primary, inputs, finalizer, creates = [], patches = [], deletes = [] } of declarations) {
    allow(primary.group, primary.plural, finalizer === undefined ? read : [...read, 'patch']);
    allow(primary.group, `${primary.plural}/status`, ['patch']);
    for (const { kind } of inputs) allow(kind.group, kind.plural, read);
    for (const kind of creates) allow(kind.group, kind.plural, ['create']);
    for (const kind of patches) allow(kind.group, kind.plural, ['patch']);
    for (const kind of deletes) allow(kind.group, kind.plural, ['delete']);
  }
  allow('events.k8s.io', 'events', ['create', 'patch']);
  return [...rules.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, rule]) => rule);
}
