import { deletionPolicyOf } from '../../../controllers/nixnode/deletion-policy.ts';
import { clusterOf, nodeOf } from '../../support/cluster-objects.ts';

type Says = { deletionPolicy?: string };
const node = (spec: Says = {}, status: Says = {}) => nodeOf('node1', { spec, status });
const resetting = clusterOf({}, undefined, { deletionPolicy: 'Reset' });

test.each([
  ['nobody says it', node(), undefined, 'Orphan'],
  ['neither it nor its cluster says it', node(), clusterOf({}), 'Orphan'],
  ['its cluster says it', node(), resetting, 'Reset'],
  ['it says it itself', node({ deletionPolicy: 'Orphan' }), resetting, 'Orphan'],
  ['its cluster, which said it, is gone', node({}, { deletionPolicy: 'Reset' }), undefined, 'Reset'],
  ['its cluster does not say it any more', node({}, { deletionPolicy: 'Reset' }), clusterOf({}), 'Orphan'],
])('%s', (_, one, cluster, policy) => {
  expect(deletionPolicyOf(one, cluster)).toBe(policy);
});
