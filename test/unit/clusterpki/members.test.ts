import { assertNew, hostsGate, type Member, memberOf } from '../../../controllers/clusterpki/members.ts';
import { nodeOf } from '../../support/cluster-objects.ts';

const member = (name: string, more: Partial<Member> = {}): Member => ({
  name,
  roles: ['worker'],
  observed: true,
  confirmed: true,
  origins: {},
  ...more,
});
const what = { name: 'cluster', secretName: 'demo-cluster-ca', known: false } as const;
const reasonOf = (members: Member[], more = {}): unknown => {
  try {
    assertNew({ ...what, ...more }, members);
    return undefined;
  } catch (error) {
    return (error as { reason: string }).reason;
  }
};

test('something new is made only where nobody can live by something old', () => {
  expect(reasonOf([])).toBeUndefined();
  expect(reasonOf([member('a'), member('b')])).toBeUndefined();
  expect(reasonOf([member('a', { observed: false })])).toBe('MembersUnobserved');
  expect(reasonOf([member('a', { observed: false })], { known: true })).toBe('AuthorityMissing');
  expect(reasonOf([member('a', { origins: { cluster: 'f' } })])).toBe('AuthorityMissing');
  expect(reasonOf([member('a', { origins: { etcd: 'f' } })])).toBeUndefined();
  // The very same authority is brought back.
  expect(reasonOf([member('a', { origins: { cluster: 'f' } })], { fingerprint: 'f' })).toBeUndefined();
});

test('a gate is open when all who get it have confirmed it', () => {
  const expected = { etcd: 'f', 'etcd-trust': 't' };
  const controlPlane = (more: Partial<Member>) => member('cp', { roles: ['control-plane'], ...more });
  const open = (members: Member[]) => hostsGate(members, expected).open;
  expect(open([])).toBe(true);
  // etcd's authority is not delivered to workers.
  expect(open([member('worker')])).toBe(true);
  expect(open([controlPlane({})])).toBe(false);
  expect(open([controlPlane({ origins: { etcd: 'f' } })])).toBe(false);
  expect(open([controlPlane({ origins: expected })])).toBe(true);
  expect(open([controlPlane({ origins: expected, confirmed: false })])).toBe(false);
  const many = Array.from({ length: 9 }, (_, at) => member(`node${at}`, { roles: ['control-plane'] }));
  expect(hostsGate(many, expected)).toEqual({
    open: false,
    waitsFor: 'node0, node1, node2, node3, node4, and 4 more to have it',
  });
});

test('a NixNode is read as it is', () => {
  expect(memberOf(nodeOf('n'))).toEqual(member('n', { observed: false, confirmed: false }));
  const status = {
    lastObserved: '2026-11-21T10:00:00Z',
    release: { current: '0123456789ab', confirmed: 'ba9876543210' },
    pki: { authorities: [{ name: 'cluster', fingerprint: 'ab'.repeat(32) }], certificates: 1 },
  };
  expect(memberOf(nodeOf('n', { status }))).toEqual(
    member('n', { confirmed: false, origins: { cluster: 'ab'.repeat(32) } }),
  );
});
