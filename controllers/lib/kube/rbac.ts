/** Bindings of RBAC (rbac.authorization.k8s.io/v1), as a cluster that is not ours alone has them. */
import type { KubeObject, ResourceKind } from '../../../crds/resource.ts';
import { failedThere } from './any-objects.ts';
import type { KubeClient, RawObject } from './client.ts';

/** RoleBinding or ClusterRoleBinding; what is in it is not trusted. */
export type Binding = RawObject & { subjects?: unknown };

const kindOf = (kind: string, plural: string, namespaced: boolean): ResourceKind<KubeObject> => ({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind,
  plural,
  namespaced,
  parse: (raw) => raw as KubeObject,
});
const kinds = [
  kindOf('ClusterRoleBinding', 'clusterrolebindings', false),
  kindOf('RoleBinding', 'rolebindings', true),
];

const pageSize = 500;
const deadlineMs = 30_000;

/** All of the cluster. `where` names it in what is thrown, a `ReconcileError`, where it does not answer. */
export async function readBindings(
  client: KubeClient,
  where: string,
  signal: AbortSignal,
): Promise<readonly Binding[]> {
  const found: Binding[] = [];
  try {
    for (const kind of kinds) {
      let next = '';
      do {
        const page = await client.list(kind, { limit: pageSize, continue: next, signal, deadlineMs });
        found.push(...page.items);
        next = page.continue;
      } while (next !== '');
    }
  } catch (error) {
    throw failedThere(error, where);
  }
  return found;
}
