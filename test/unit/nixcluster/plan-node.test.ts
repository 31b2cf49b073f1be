import { type Found, planNode } from '../../../controllers/nixcluster/plan-node.ts';
import { aboutNode, type TargetNode, TargetNodeKind } from '../../../controllers/nixcluster/target-node.ts';
import type { ClusterNode } from '../../../crds/index.ts';
import { clusterOf, nodeOf } from '../../support/cluster-objects.ts';

type Fields = { [field: string]: unknown };

const place: ClusterNode = {
  name: 'node1',
  uid: 'u',
  index: 1,
  podCIDRs: ['10.88.1.0/24'],
  addresses: ['10.88.1.1'],
  underlayAddresses: [],
};
const ready = { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'fine' };
const raw = (spec: Fields = {}, status: Fields = {}, metadata: Fields = {}): Fields => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'node1', uid: 'n', resourceVersion: '7', ...metadata },
  spec: { podCIDR: '10.88.1.0/24', podCIDRs: ['10.88.1.0/24'], ...spec },
  status: { conditions: [ready], nodeInfo: { kubeletVersion: 'v1.36.1' }, ...status },
});
const found = (...parts: Parameters<typeof raw>): Found => ({
  ok: true,
  object: TargetNodeKind.parse(raw(...parts)),
});
const cluster = (controlPlane: Fields = {}) => clusterOf({}, {}, { controlPlane });
const member = (spec: Fields = {}) =>
  nodeOf('node1', { spec: { clusterRef: { name: 'demo' }, roles: ['worker'], ...spec } });
const theirs = {
  key: 'example.com/theirs',
  value: 'x',
  effect: 'NoExecute',
  timeAdded: '2026-11-21T10:00:00Z',
};
const ours = { key: 'example.com/ours', value: 'a', effect: 'NoSchedule' };
const remembering = (...taints: string[]): ClusterNode => ({
  ...place,
  node: { ready: true, reason: 'NodeReady', message: '', taints },
});

test('a Node as it should be needs nothing', () => {
  expect(planNode(cluster(), member(), place, found())).toEqual({
    name: 'node1',
    labels: { 'node-role.kubernetes.io/worker': '' },
    patch: null,
    state: { ready: true, reason: 'NodeReady', message: '', version: 'v1.36.1' },
  });
});

test('of a member without a Node nothing is said', () => {
  expect(planNode(cluster(), member(), place, undefined)).toEqual({
    name: 'node1',
    state: null,
    labels: null,
    patch: null,
  });
});

test('subnets are set once, and never changed', () => {
  const { patch } = planNode(cluster(), member(), place, found({ podCIDRs: undefined }));
  expect(patch).toEqual({
    resourceVersion: '7',
    spec: { podCIDR: '10.88.1.0/24', podCIDRs: ['10.88.1.0/24'] },
  });
  const other = planNode(cluster(), member(), place, found({ podCIDRs: ['10.1.0.0/24'] }));
  expect(other.patch).toBeNull();
  expect(other.state).toMatchObject({ ready: false, reason: 'PodCIDRsDiffer', version: 'v1.36.1' });
  expect(planNode(cluster(), member(), undefined, found({ podCIDRs: undefined })).patch).toBeNull();
});

test.each<[string, Fields, string[], string[]]>([
  ['a control-plane node alone', {}, ['control-plane'], ['node-role.kubernetes.io/control-plane:NoSchedule']],
  ['one that is a worker too', {}, ['control-plane', 'worker'], []],
  [
    'one that is a worker too, if asked for',
    { taint: true },
    ['control-plane', 'worker'],
    ['node-role.kubernetes.io/control-plane:NoSchedule'],
  ],
  ['a control-plane node, if not wanted', { taint: false }, ['control-plane'], []],
  ['a worker', { taint: true }, ['worker'], []],
])('the taint of the control plane: %s', (_, controlPlane, roles, taints) => {
  const { state, labels } = planNode(cluster(controlPlane), member({ roles }), place, found());
  expect(state?.taints ?? []).toEqual(taints);
  expect(Object.keys(labels!)).toEqual(roles.map((role) => `node-role.kubernetes.io/${role}`));
});

describe('taints', () => {
  const taintsAfter = (spec: Fields, before: ClusterNode, present: Fields[]) => {
    const { patch, state } = planNode(
      cluster(),
      member({ kubernetes: spec }),
      before,
      found({ taints: present }),
    );
    return { taints: patch?.spec.taints, remembered: state?.taints };
  };

  test('are added behind those of others, which stay as they are', () => {
    expect(taintsAfter({ taints: [ours] }, place, [theirs])).toEqual({
      taints: [theirs, ours],
      remembered: ['example.com/ours:NoSchedule'],
    });
  });

  test('that are there are left, and a value that somebody changed is set back', () => {
    expect(taintsAfter({ taints: [ours] }, place, [ours, theirs]).taints).toBeUndefined();
    expect(taintsAfter({ taints: [ours] }, place, [{ ...ours, value: 'b' }, theirs]).taints).toEqual([
      ours,
      theirs,
    ]);
  });

  test('go with the spec if they were ours, and are remembered until they are gone', () => {
    const known = remembering('example.com/ours:NoSchedule');
    expect(taintsAfter({}, known, [ours, theirs])).toEqual({
      taints: [theirs],
      remembered: ['example.com/ours:NoSchedule'],
    });
    expect(taintsAfter({}, known, [theirs])).toEqual({ taints: undefined, remembered: undefined });
  });

  test('of others never go, whatever the Node itself says', () => {
    const node = found(
      { taints: [theirs] },
      {},
      { annotations: { 'firn.dev/taints': 'example.com/theirs:NoExecute' } },
    );
    expect(planNode(cluster(), member(), place, node).patch).toBeNull();
  });
});

describe('how it is', () => {
  const stateOf = (status: Fields) => planNode(cluster(), member(), place, found({}, status)).state;

  test('in words of its own, made fit', () => {
    const unready = {
      ...ready,
      status: 'False',
      reason: 'KubeletNotReady',
      message: `cni\u001b[2J\nplugin ${'é'.repeat(4000)}`,
    };
    const state = stateOf({ conditions: [unready] })!;
    expect(state).toMatchObject({ ready: false, reason: 'KubeletNotReady' });
    expect(state.message).toMatch(/^cni\[2J plugin é+/);
    expect(Buffer.byteLength(state.message)).toBeLessThanOrEqual(1024);
  });

  test.each(['', 'lower', 'Has Space', 'Å', `A${'a'.repeat(64)}`])('a reason that is none: %s', (reason) => {
    expect(stateOf({ conditions: [{ ...ready, status: 'Unknown', reason }] })?.reason).toBe('NodeNotReady');
  });

  test('of one that has not said', () => {
    expect(stateOf({ conditions: [], nodeInfo: undefined })).toEqual({
      ready: false,
      reason: 'NodeNotReady',
      message: 'its kubelet has not said yet how it is',
    });
  });
});

test.each<[string, Fields]>([
  ['taints that are no list', raw({ taints: 'none' })],
  ['a taint without key', raw({ taints: [{ effect: 'NoSchedule' }] })],
  ['labels that are no text', raw({}, {}, { labels: { a: { b: 'c' } } })],
  ['conditions without end', raw({}, { conditions: Array.from({ length: 1000 }, () => ready) })],
])('%s are not read, and nothing of them is quoted', (_, node) => {
  expect(() => TargetNodeKind.parse(node)).toThrow(
    /^(spec|metadata|status)\.[\w.]+ is not as Kubernetes has it$/,
  );
});

test('a Node that cannot be read is said to be so, and left alone', () => {
  expect(planNode(cluster(), member(), place, { ok: false, message: 'spec.taints is …' })).toMatchObject({
    labels: null,
    patch: null,
    state: { ready: false, reason: 'NodeInvalid', message: 'its Node cannot be read: spec.taints is …' },
  });
});

test('heartbeats do not matter', () => {
  const at = (time: string): TargetNode =>
    TargetNodeKind.parse(
      raw(
        {},
        { conditions: [{ ...ready, lastHeartbeatTime: time }], images: [time] },
        { resourceVersion: time },
      ),
    );
  expect(aboutNode(at('1'))).toEqual(aboutNode(at('2')));
  const ill = TargetNodeKind.parse(raw({}, { conditions: [{ ...ready, status: 'False' }] }));
  expect(aboutNode(ill)).not.toEqual(aboutNode(at('1')));
});
