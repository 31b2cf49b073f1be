import { byName, memberOf, underlayOf } from '../../../controllers/nixcluster/members.ts';
import { nodeOf } from '../../support/cluster-objects.ts';

const deletionTimestamp = '2026-11-21T10:00:00Z';

test('a host that was not asked yet is told from one that has no number', () => {
  expect(memberOf(nodeOf('a'), 'demo')).toEqual({
    name: 'a',
    uid: 'uid-of-a',
    asked: undefined,
    claimed: undefined,
    observed: false,
    stage: 'present',
  });
  const asked = memberOf(nodeOf('a', { status: { lastObserved: deletionTimestamp } }), 'demo');
  expect([asked.observed, asked.claimed]).toEqual([true, undefined]);
});

test('a host speaks for the cluster that it names, and for no other', () => {
  const node = nodeOf('a', { status: { member: { cluster: 'demo', index: 4 } } });
  expect(memberOf(node, 'demo').claimed).toBe(4);
  expect(memberOf(node, 'other').claimed).toBeUndefined();
});

test.each([
  [undefined, 'leaving'],
  ['Reset', 'reset'],
  ['Orphaned', 'left'],
  ['TimedOut', 'left'],
])('of a node that is being deleted with the outcome %s', (outcome, stage) => {
  const status = outcome === undefined ? {} : { deletion: { outcome, at: deletionTimestamp } };
  const node = nodeOf('a', { metadata: { deletionTimestamp }, status });
  expect(memberOf(node, 'demo').stage).toBe(stage);
});

describe('how other nodes reach a node', () => {
  const before = {
    name: 'a',
    uid: 'u',
    index: 1,
    podCIDRs: [],
    addresses: [],
    underlayAddresses: ['192.0.2.31'],
  };
  const withFacts = (addresses: string[], spec = {}) =>
    nodeOf('a', { spec, status: { facts: { addresses } } });

  test('as the spec says', () => {
    const addresses = ['2001:DB8::1', '192.0.2.9'];
    expect(underlayOf(withFacts([], { addresses }), undefined)).toEqual(['2001:db8::1', '192.0.2.9']);
  });

  test('by the address of the login, if the host has it itself', () => {
    expect(underlayOf(withFacts(['10.0.0.1', '192.0.2.31']), undefined)).toEqual(['192.0.2.31']);
    expect(underlayOf(withFacts(['10.0.0.1']), before)).toEqual([]);
    const ssh = { ...nodeOf('a').spec.ssh, host: 'a.example.com' };
    expect(underlayOf(withFacts(['192.0.2.31'], { ssh }), undefined)).toEqual([]);
  });

  test('as before, while the host has not said what it has', () => {
    expect(underlayOf(nodeOf('a'), before)).toEqual(['192.0.2.31']);
    expect(underlayOf(nodeOf('a'), undefined)).toEqual([]);
  });
});

test('names are in their natural order, and never equal', () => {
  const names = ['node10', 'node2', 'node02', 'a'].map((name) => ({ name }));
  expect(names.sort(byName).map(({ name }) => name)).toEqual(['a', 'node02', 'node2', 'node10']);
});
