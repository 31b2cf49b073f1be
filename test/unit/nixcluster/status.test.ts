import {
  checkMembers,
  checkRoutes,
  endpointOf,
  nodesOf,
  readiness,
} from '../../../controllers/nixcluster/status.ts';
import { clusterOf, nodeOf } from '../../support/cluster-objects.ts';

const condition = (type: string, status: string, reason = 'Reconciled') => ({
  type,
  status,
  reason,
  message: '',
  lastTransitionTime: '2026-11-21T10:00:00Z',
});
const ready = (name: string) => nodeOf(name, { status: { conditions: [condition('Ready', 'True')] } });
const building = (name: string) =>
  nodeOf(name, { status: { conditions: [condition('Ready', 'False', 'Building')] } });
const stalled = (name: string) =>
  nodeOf(name, {
    status: { conditions: [condition('Ready', 'False', 'BuildFailed'), condition('Stalled', 'True')] },
  });

const failure = (work: () => void) => {
  try {
    work();
  } catch (error) {
    const { verdict, reason, message } = error as { verdict: string; reason: string; message: string };
    return { verdict, reason, message };
  }
  return null;
};

test('says of each node all that others need to reach it', () => {
  const numbered = [
    { name: 'node10', uid: 'u10', index: 2 },
    { name: 'node2', uid: 'u2', index: 1 },
  ];
  const members = [nodeOf('node2', { spec: { addresses: ['192.0.2.2'] } }), nodeOf('node10')];
  const cluster = clusterOf({ pods: [{ cidr: '10.88.0.0/16', nodePrefix: 24 }] });
  expect(nodesOf(cluster, numbered, members)).toEqual([
    {
      name: 'node2',
      uid: 'u2',
      index: 1,
      roles: ['worker'],
      podCIDRs: ['10.88.1.0/24'],
      addresses: ['10.88.1.1'],
      underlayAddresses: ['192.0.2.2'],
    },
    expect.objectContaining({ name: 'node10', podCIDRs: ['10.88.2.0/24'], underlayAddresses: [] }),
  ]);
});

test('the endpoint is a URL', () => {
  expect(endpointOf(clusterOf())).toBe('https://kube.example.com:6443');
  const v6 = clusterOf({}, undefined, { endpoint: { host: '2001:db8::1', port: 443 } });
  expect(endpointOf(v6)).toBe('https://[2001:db8::1]:443');
});

test('who is ready, of how many', () => {
  expect(readiness([])).toBe('0/0');
  expect(readiness([ready('a'), building('b'), nodeOf('c')])).toBe('1/3');
});

test('a cluster without members says how to get some', () => {
  expect(failure(() => checkMembers(clusterOf(), []))).toEqual({
    verdict: 'waiting',
    reason: 'NoMembers',
    message: 'no NixNode of the namespace belongs to it: set spec.clusterRef.name: demo',
  });
});

test('members that are not ready are named; somebody is called only where one is stalled', () => {
  const cluster = clusterOf();
  expect(failure(() => checkMembers(cluster, [ready('a')]))).toBeNull();
  expect(failure(() => checkMembers(cluster, [ready('a'), building('c'), nodeOf('b')]))).toEqual({
    verdict: 'progressing',
    reason: 'MembersNotReady',
    message: 'not ready: b (Pending), c (Building)',
  });
  expect(failure(() => checkMembers(cluster, [stalled('a'), building('b')]))?.verdict).toBe('waiting');
  const many = Array.from({ length: 7 }, (_, at) => building(`n${at}`));
  expect(failure(() => checkMembers(cluster, many))?.message).toMatch(/n4 \(Building\), and 2 more$/);
});

describe('without a mesh', () => {
  const node = (name: string, ...underlayAddresses: string[]) => ({
    name,
    uid: name,
    index: 1,
    podCIDRs: [],
    addresses: [],
    underlayAddresses,
  });
  const both = node('a', '192.0.2.1', '2001:db8::1');
  const four = node('b', '192.0.2.2');

  test('each node needs an address of every family of pods', () => {
    expect(failure(() => checkRoutes(clusterOf(), [both, four]))).toEqual({
      verdict: 'waiting',
      reason: 'UnderlayMissing',
      message: expect.stringMatching(
        /^pods fd88::\/16 cannot be routed to NixNodes b: they have no IPv6 address/,
      ),
    });
    expect(failure(() => checkRoutes(clusterOf(), [both, both]))).toBeNull();
  });

  test('unless it is alone, or somebody else routes', () => {
    expect(failure(() => checkRoutes(clusterOf(), [four]))).toBeNull();
    expect(failure(() => checkRoutes(clusterOf({ routing: 'External' }), [four, four]))).toBeNull();
    expect(failure(() => checkRoutes(clusterOf({ meshRef: { name: 'demo' } }), [four, four]))).toBeNull();
  });
});

test('what was seen of Nodes replaces what was known of them', () => {
  const node = { ready: true, reason: 'NodeReady', message: '' };
  const numbered = ['a', 'b', 'c'].map((name, index) => ({ name, uid: `uid-of-${name}`, index: index + 1 }));
  const members = numbered.map(({ name }) => nodeOf(name));
  const known = nodesOf(clusterOf(), numbered, members).map((one) => ({ ...one, node }));
  const states = new Map([
    ['a', { ...node, ready: false }],
    ['b', null],
  ]);
  const seen = nodesOf(clusterOf({}, { nodes: known }), numbered, members, states);
  expect(seen.map((one) => one.node)).toEqual([{ ...node, ready: false }, undefined, node]);
});
