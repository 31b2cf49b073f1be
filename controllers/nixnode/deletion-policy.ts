/** What becomes of a host when its NixNode is deleted. Pure. */
import type { NixCluster, NixNode } from '../../crds/index.ts';

/** Of the node, or else of its cluster. A cluster that is gone already, as after `kubectl delete -f`, is remembered in status. */
export function deletionPolicyOf(
  { spec, status }: Pick<NixNode, 'spec' | 'status'>,
  cluster: NixCluster | undefined,
): 'Orphan' | 'Reset' {
  const inherited = cluster ? cluster.spec.deletionPolicy : status?.deletionPolicy;
  return spec.deletionPolicy ?? inherited ?? 'Orphan';
}
