/** Whether a user may do anything: who is bound to what, as far as the cluster's RBAC says. Pure. */
import { several } from '../lib/core/several.ts';
import type { Binding } from '../lib/kube/rbac.ts';

type Subject = { kind?: unknown; name?: unknown } | null;

type Person = { user: string; groups: readonly string[] };

/** Null where everybody is bound to something. Otherwise a sentence for users. */
export function unboundIn(
  bindings: readonly Pick<Binding, 'subjects'>[],
  { user, groups }: Person,
): string | null {
  const bound = new Set(
    bindings.flatMap(({ subjects }) =>
      Array.isArray(subjects) ? subjects.map((subject: Subject) => `${subject?.kind} ${subject?.name}`) : [],
    ),
  );
  const without = groups.filter((group) => !bound.has(`Group ${group}`));
  if (bound.has(`User ${user}`) || without.length < groups.length) {
    if (without.length === 0) return null;
    return `nothing in the cluster is bound to ${several(without.map((group) => `group ${group}`))}`;
  }
  const all = [`user ${user}`, ...groups.map((group) => `group ${group}`)];
  return `whoever uses the kubeconfig may do nothing: no RoleBinding or ClusterRoleBinding in the cluster names ${several(all)}`;
}
