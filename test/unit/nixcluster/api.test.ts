import { KubeError } from '../../../controllers/lib/kube/kube-error.ts';
import { asTargetError, roundedLatency } from '../../../controllers/nixcluster/api.ts';
import { lowestVersion } from '../../../controllers/nixcluster/lowest-version.ts';
import { checkNodes } from '../../../controllers/nixcluster/tend-nodes.ts';
import { nodeOf } from '../../support/cluster-objects.ts';

test.each([
  [1, undefined, 1],
  [7, undefined, 7],
  [13, undefined, 10],
  [96, undefined, 100],
  [1234, undefined, 1000],
  [13, 10, 10],
  [19, 10, 10],
  [20, 10, 20],
  [5, 10, 5],
])('%s ms after %s are told as %s', (ms, before, told) => {
  expect(roundedLatency(ms, before)).toBe(told);
});

test.each<[string[], string | undefined]>([
  [['v1.36.10', 'v1.36.9'], 'v1.36.9'],
  [['v1.37.0', 'v1.36.1', 'v1.36.2-rc.1'], 'v1.36.1'],
  [['', 'v1', 'latest', `v1.0.0-${'a'.repeat(80)}`], undefined],
  [[], undefined],
])('the lowest of %j is %s', (versions, lowest) => {
  expect(lowestVersion(versions)).toBe(lowest);
});

test.each([
  [
    new KubeError('GET /readyz', 0, 'Unreachable', { words: 'in words' }),
    false,
    'progressing',
    'ApiUnreachable',
    'in words',
  ],
  [new KubeError('GET /readyz', 0, 'UND_ERR_SOCKET'), true, 'waiting', 'ApiUnreachable', 'UND_ERR_SOCKET'],
  [new KubeError('GET /readyz', 500, 'InternalError'), false, 'progressing', 'ApiNotReady', 'not ready'],
  [new KubeError('GET /readyz', 401, 'Unauthorized'), true, 'waiting', 'ApiRefuses', 'clocks'],
  [new KubeError('PATCH /x', 403, 'Forbidden'), true, 'progressing', 'ApiRefuses', 'yet to learn'],
  [new KubeError('PATCH /x', 409, 'Conflict'), true, 'transient', 'Conflict', 'PATCH /x'],
])('%s means what can be acted upon', (error, wasThere, verdict, reason, words) => {
  expect(asTargetError(error, wasThere)).toMatchObject({
    verdict,
    reason,
    message: expect.stringContaining(words),
  });
});

test('other errors are what they are', () => {
  const error = new TypeError('a bug');
  expect(asTargetError(error, true)).toBe(error);
});

describe('Nodes that are missing or not ready', () => {
  const members = ['node1', 'node2', 'node10'].map((name) =>
    nodeOf(name, { spec: { clusterRef: { name: 'demo' }, roles: ['worker'] } }),
  );
  const well = { ready: true, reason: 'NodeReady', message: '' };
  const check = (states: object) => () => checkNodes(members, new Map(Object.entries(states)));

  test('are named, in order', () => {
    const ill = { ready: false, reason: 'KubeletNotReady', message: 'no network' };
    expect(check({ node1: well, node10: ill, node2: null })).toThrow(
      expect.objectContaining({
        verdict: 'waiting',
        message:
          'not ready: node2 (no Node yet: its kubelet has not registered); node10 (KubeletNotReady: no network)',
      }),
    );
    expect(check({ node1: well, node2: well, node10: null })).toThrow(
      expect.objectContaining({ verdict: 'progressing' }),
    );
    expect(check({ node1: well, node2: well, node10: well })).not.toThrow();
  });

  test('are not those of who runs no kubelet', () => {
    const frontend = nodeOf('front', { spec: { clusterRef: { name: 'demo' }, roles: ['frontend'] } });
    expect(() => checkNodes([frontend], new Map([['front', null]]))).not.toThrow();
  });
});
