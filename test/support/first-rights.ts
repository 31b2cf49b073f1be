/** The rights that the operator gives in a new cluster, for clusters of tests that have no operator. */
import { rights } from '../../controllers/nixcluster/rights.ts';
import { apiVersionOf } from '../../crds/resource.ts';

export const firstRights = (): object => ({
  apiVersion: 'v1',
  kind: 'List',
  items: rights.map(({ kind, name, content }) => ({
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    metadata: { name },
    ...content,
  })),
});
