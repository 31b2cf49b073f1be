import {
  closedSince,
  closing,
  isClosed,
  opening,
  readNode,
} from '../../../../controllers/nixcluster/rollout/cordon.ts';
import {
  budgetsOf,
  isOverdue,
  leftSays,
  mustLeave,
  readBudgets,
  readPods,
} from '../../../../controllers/nixcluster/rollout/drain.ts';

const pod = (name: string, more: object = {}, status: object = { phase: 'Running' }) => ({
  metadata: { name, namespace: 'default', uid: `uid-of-${name}`, labels: { app: 'web' }, ...more },
  status,
});
const one = (...of: Parameters<typeof pod>) => readPods({ items: [pod(...of)] })[0]!;
const owner = (kind: string) => ({ ownerReferences: [{ kind, controller: true }] });

test.each<[string, boolean, ReturnType<typeof one>]>([
  ['of a Deployment leave', true, one('a', owner('ReplicaSet'))],
  ['of nobody leave too', true, one('a')],
  ['of a DaemonSet stay', false, one('a', owner('DaemonSet'))],
  ['of the kubelet stay', false, one('a', { annotations: { 'kubernetes.io/config.mirror': 'x' } })],
  ['that have ended do not matter', false, one('a', {}, { phase: 'Succeeded' })],
])('pods %s', (_, expected, found) => expect(mustLeave(found)).toBe(expected));

test('pods that are not as Kubernetes has them are refused', () => {
  expect(() => readPods({ items: [pod('../../secrets/a')] })).toThrow();
  expect(() => readPods({ items: [pod('a', { namespace: 'a/b' })] })).toThrow();
});

test('a pod is under the budgets that select it', () => {
  const budget = (name: string, selector?: object) => ({
    metadata: { name },
    spec: { ...(selector && { selector }) },
  });
  const expression = (operator: string, values: string[] = []) => ({
    matchExpressions: [{ key: 'app', operator, values }],
  });
  const budgets = readBudgets({
    items: [
      budget('of-web', { matchLabels: { app: 'web' } }),
      budget('of-db', { matchLabels: { app: 'db' } }),
      budget('of-all', {}),
      budget('of-none'),
      budget('in', expression('In', ['web', 'db'])),
      budget('not-in', expression('NotIn', ['web'])),
      budget('exists', expression('Exists')),
      budget('does-not', expression('DoesNotExist')),
    ],
  });
  expect(budgetsOf(one('a'), budgets)).toEqual(['of-web', 'of-all', 'in', 'exists']);
});

test('what is left is said, the same in any order', () => {
  const left = [
    { pod: one('b'), because: 'PodDisruptionBudget web' },
    { pod: one('a'), because: undefined },
  ];
  expect(leftSays(left)).toBe('2 pods are left: default/a (it ends), default/b (PodDisruptionBudget web)');
  expect(leftSays([...left].reverse())).toBe(leftSays(left));
  const because = `PodDisruptionBudget ${'b'.repeat(100_000)}`;
  expect(leftSays(left.map((one) => ({ ...one, because }))).length).toBeLessThan(3500);
});

test('the time is over when it is', () => {
  const policy = { timeoutMs: 1000, budgets: 'Respect' } as const;
  expect([isOverdue(0, 999, policy), isOverdue(0, 1000, policy)]).toEqual([false, true]);
});

describe('a Node', () => {
  const at = '2026-11-21T10:00:00Z';
  const node = (more: object = {}, unschedulable = false) =>
    readNode({ metadata: { name: 'a', resourceVersion: '7', ...more }, spec: { unschedulable } });
  const closed = (more: object = {}, unschedulable = true) =>
    node(
      { labels: { 'firn.dev/draining': '' }, annotations: { 'firn.dev/drain-started': at, ...more } },
      unschedulable,
    );

  test('is closed with the time, once', () => {
    expect(closing(node(), at)).toEqual({
      metadata: {
        resourceVersion: '7',
        labels: { 'firn.dev/draining': '' },
        annotations: { 'firn.dev/drain-started': at },
      },
      spec: { unschedulable: true },
    });
    expect(closing(closed(), '2026-11-21T11:00:00Z')).toBeNull();
    expect(closedSince(closed())).toBe(Date.parse(at));
  });
  test('that somebody opened meanwhile is closed again, and keeps its time', () => {
    expect(closing(closed({}, false), '2026-11-21T11:00:00Z')).toMatchObject({
      metadata: { annotations: {} },
      spec: { unschedulable: true },
    });
  });
  test('is opened as it was before', () => {
    expect(opening(closed())).toMatchObject({
      metadata: { resourceVersion: '7', labels: { 'firn.dev/draining': null } },
      spec: { unschedulable: null },
    });
  });
  test('that a person closed stays closed', () => {
    const patch = closing(node({}, true), at) as { metadata: { annotations: Record<string, string> } };
    expect(patch.metadata.annotations).toMatchObject({ 'firn.dev/keep-cordoned': 'true' });
    expect(opening(closed(patch.metadata.annotations))).toMatchObject({ spec: { unschedulable: true } });
    expect(opening(node({}, true))).toBeNull();
    expect(isClosed(node({}, true))).toBe(false);
  });
});
