import { checkNodeObject } from '../../../controllers/nixnode/node-object.ts';
import type { ClusterNode } from '../../../crds/index.ts';

const place = (node?: ClusterNode['node']): ClusterNode => ({
  ...{ name: 'node1', uid: 'u', index: 1, podCIDRs: [], addresses: [], underlayAddresses: [] },
  ...(node && { node }),
});

test.each<[string, ClusterNode | undefined]>([
  ['of whom the cluster knows nothing', undefined],
  ['who has no Node', place()],
])('a member %s is on its way', (_, of) => {
  expect(() => checkNodeObject('demo', of, 7)).toThrow(
    expect.objectContaining({ verdict: 'progressing', reason: 'WaitingForNode', recheckMs: 7 }),
  );
});

test('a Node that is not ready is told in its words', () => {
  const node = { ready: false, reason: 'KubeletNotReady', message: 'no network' };
  expect(() => checkNodeObject('demo', place(node), 7)).toThrow(
    'its Node is not ready: KubeletNotReady: no network',
  );
  expect(() => checkNodeObject('demo', place({ ...node, message: '' }), 7)).toThrow(/: KubeletNotReady$/);
});

test('one that is ready needs nothing', () => {
  expect(() =>
    checkNodeObject('demo', place({ ready: true, reason: 'NodeReady', message: '' }), 7),
  ).not.toThrow();
});
