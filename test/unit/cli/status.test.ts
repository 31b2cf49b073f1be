import { describeNode } from '../../../cli/describe-node.ts';
import { nodeTable } from '../../../cli/node-table.ts';
import { advice, waitsFor } from '../../../cli/node-words.ts';
import { rollbackState } from '../../../cli/rollback-progress.ts';
import { NixNode, type NixNodeStatus } from '../../../crds/index.ts';

const now = Date.parse('2026-11-21T12:00:00Z');
const plain = { style: (_style: unknown, text: string) => text };
const hash = (digit: string) => digit.repeat(64);

const nodeWith = (status?: NixNodeStatus, generation = 3): NixNode =>
  NixNode.parse({
    apiVersion: 'firn.dev/v1alpha1',
    kind: 'NixNode',
    metadata: { name: 'alpha', namespace: 'fleet', uid: 'u', resourceVersion: '1', generation },
    spec: {
      ssh: { host: '2001:db8::11', keyRef: { name: 'k' }, hostKeyPolicy: 'TrustOnFirstUse' },
      stateVersion: '26.05',
      nixpkgs: { url: 'github:NixOS/nixpkgs/nixos-26.05' },
    },
    ...(status && { status: { observedGeneration: generation, ...status } }),
  });

const condition = (type: string, status: 'True' | 'False' | 'Unknown', reason: string, message = '') => ({
  type,
  status,
  reason,
  message,
  lastTransitionTime: '2026-11-21T11:56:00Z',
});

const reverted = nodeWith({
  summary: 'UnitsFailed',
  conditions: [
    condition('Ready', 'False', 'UnitsFailed', 'web.service failed\nnginx: [emerg] no port'),
    condition('Applied', 'False', 'UnitsFailed', 'web.service failed\nnginx: [emerg] no port'),
    condition('Reachable', 'True', 'Reachable'),
  ],
  release: { desired: 'aaaaaaaaaaaa', current: 'bbbbbbbbbbbb', confirmed: 'bbbbbbbbbbbb' },
  trial: {
    id: 'aaaaaaaaaaaa',
    attempt: 1,
    state: 'Reverted',
    reason: 'UnitsFailed',
    message: 'web.service failed',
  },
  bad: [{ part: 'system', hash: hash('c'), reason: 'UnitsFailed', at: '2026-11-21T11:59:00Z' }],
  nixosVersion: '26.05',
  facts: { hostname: 'alpha', system: 'x86_64-linux', cpus: 2, memoryBytes: 2 ** 31 },
  lastObserved: '2026-11-21T11:59:30Z',
});

test('a member says where it stands in its cluster, and what is missing there', () => {
  const node = nodeWith({
    index: 3,
    mesh: {
      keys: [],
      mtu: 1420,
      peers: 2,
      connected: 1,
      details: [
        { name: 'beta', epoch: 1, state: 'Down', receivedBytes: 0, sentBytes: 0 },
        { name: 'gamma', epoch: 1, state: 'Connected', receivedBytes: 0, sentBytes: 0 },
      ],
    },
    pki: {
      authorities: [],
      certificates: 5,
      nextExpiry: '2026-12-01T12:00:00Z',
      nextExpiring: '/etc/kubernetes/pki/kubelet.crt',
    },
  });
  const member = {
    ...node,
    spec: { ...node.spec, clusterRef: { name: 'demo' }, roles: ['worker' as const] },
  };
  const lines = describeNode(member, now, plain).split('\n');
  expect(lines).toEqual(
    expect.arrayContaining([
      'Cluster: demo, worker, number 3',
      'Mesh: 1 of 2 peers, MTU 1420',
      '  without a tunnel: beta (Down)',
      'Certificates: 5; the first ends in 10d (/etc/kubernetes/pki/kubelet.crt)',
    ]),
  );
  expect(describeNode(node, now, plain)).not.toContain('Cluster');
});

test.each<['True' | 'False', string | undefined, string]>([
  ['True', 'v1.36.1', 'Node: ready, v1.36.1'],
  ['False', 'v1.36.1', 'Node: not ready, v1.36.1'],
  ['False', undefined, 'Node: not ready'],
])('a member says how its Node is: %s, %s', (status, kubernetesVersion, line) => {
  const lastTransitionTime = '2026-11-21T11:59:30Z';
  const said = { type: 'NodeReady', status, reason: 'WaitingForNode', message: 'why', lastTransitionTime };
  const node = nodeWith({ conditions: [said], ...(kubernetesVersion && { kubernetesVersion }) });
  const member = {
    ...node,
    spec: { ...node.spec, clusterRef: { name: 'demo' }, roles: ['worker' as const] },
  };
  expect(describeNode(member, now, plain).split('\n')).toContain(line);
});

test('everything about a host whose change was taken back', () => {
  expect(describeNode(reverted, now, plain)).toBe(`fleet/alpha is not ready: UnitsFailed
  web.service failed
  nginx: [emerg] no port

Applied    False    UnitsFailed, for 4m
Reachable  True     Reachable, for 4m

Release: bbbbbbbbbbbb runs, bbbbbbbbbbbb is confirmed, aaaaaaaaaaaa is asked for
Trial 1 of aaaaaaaaaaaa: Reverted (UnitsFailed)
  web.service failed
Taken back: system cccccccccccc, UnitsFailed, 60s ago

Login: root@[2001:db8::11]:22
Host: alpha, NixOS 26.05, x86_64-linux, 2 CPUs, 2048 MiB
Last seen: in the last ten minutes

What helps:
  firn logs alpha activate -n fleet   (what the host printed)
  firn resume alpha -n fleet   (tries again what was taken back, after the cause is gone)`);
});

test('a trial that runs says when it ends', () => {
  const trial = {
    id: 'aaaaaaaaaaaa',
    attempt: 2,
    state: 'AwaitingConfirmation' as const,
    deadline: '2026-11-21T12:01:15Z',
  };
  const node = nodeWith({ release: { confirmed: 'bbbbbbbbbbbb' }, trial });
  expect(describeNode(node, now, plain)).toContain(
    'Trial 2 of aaaaaaaaaaaa: AwaitingConfirmation; taken back in 75s unless it is confirmed',
  );
});

test('what a host said cannot move the cursor', () => {
  const evil = 'x\x1b[2J\x1b]0;title\x07y\x9b1m';
  const node = nodeWith({ conditions: [condition('Ready', 'False', 'Bad', evil)], summary: evil });
  const painting = { style: (_style: unknown, text: string) => `\x1b[31m${text}\x1b[39m` };
  for (const text of [describeNode(node, now, painting), nodeTable([node], 'one', painting)]) {
    expect(text.replaceAll(/\x1b\[3[19]m/g, '')).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/);
    expect(text).toContain('\x1b[31m');
  }
});

test('what a node waits for', () => {
  expect(waitsFor(nodeWith())).toBe('the operator has not looked at it yet; is it running?');
  const ready = { conditions: [condition('Ready', 'True', 'Reconciled')] };
  expect(waitsFor(nodeWith(ready))).toBeUndefined();
  expect(waitsFor(nodeWith({ ...ready, observedGeneration: 2 }))).toBe(
    'the operator has not seen the newest change yet',
  );
  expect(waitsFor(nodeWith({ conditions: [condition('Ready', 'False', 'Paused')] }))).toBe('Paused');
});

test('advice only where something can be done', () => {
  const former = {
    part: 'system' as const,
    hash: hash('c'),
    reason: 'BuildFailed',
    at: '2026-11-20T00:00:00Z',
  };
  const ready = { conditions: [condition('Ready', 'True', 'Reconciled')], bad: [former] };
  expect(advice(nodeWith(ready))).toEqual([]);
  expect(advice(nodeWith({ conditions: [condition('Ready', 'False', 'BuildFailed')] }))).toEqual([
    'firn logs alpha build -n fleet   (what the host printed)',
  ]);
  expect(advice(nodeWith({ conditions: [condition('Ready', 'False', 'BootedOther')] }))[0]).toContain(
    'firn resume alpha -n fleet',
  );
});

test('a table has a line a node', () => {
  const ok = nodeWith({
    summary: 'Healthy',
    conditions: [condition('Ready', 'True', 'Reconciled')],
    nixosVersion: '26.05',
  });
  expect(
    nodeTable([ok, reverted], 'one', plain),
  ).toBe(`NAME    READY   STATUS        RELEASE        NIXOS   WAITS FOR
alpha   True    Healthy                      26.05
alpha   False   UnitsFailed   bbbbbbbbbbbb   26.05   web.service failed`);
  expect(nodeTable([ok], 'namespaced', plain).split('\n')[1]).toMatch(/^fleet {7}alpha {3}True/);
});

describe('how far a rollback is', () => {
  const release = (current: string, confirmed: string) => ({ current, confirmed });
  const [bad, good] = ['aaaaaaaaaaaa', 'bbbbbbbbbbbb'];
  test.each([
    ['the operator has not read it', { release: release(bad, bad) }, 'going'],
    ['the operator has begun', { rejected: bad, release: release(bad, bad) }, 'going'],
    ['the release before is on trial', { rejected: bad, release: release(good, bad) }, 'going'],
    ['the release before is confirmed', { rejected: bad, release: release(good, good) }, 'done'],
    [
      'it cannot go on',
      {
        rejected: bad,
        release: release(bad, bad),
        conditions: [condition('Stalled', 'True', 'LastGoodLost', 'gone')],
      },
      'failed',
    ],
  ])('%s', (_what, status, state) => {
    expect(rollbackState(nodeWith(status), bad).state).toBe(state);
  });
});
