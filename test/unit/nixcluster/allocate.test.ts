import { assign, type Limits } from '../../../controllers/nixcluster/allocate.ts';
import type { Member } from '../../../controllers/nixcluster/members.ts';
import { type Known, maxRetired, retireLeavers } from '../../../controllers/nixcluster/retire.ts';

const limits: Limits = { highest: 255, taken: [{ first: 0, last: 0, whose: 'services' }], nodes: 1000 };
const at = '2026-11-21T10:00:00Z';
const nothing: Known = { nodes: [], retired: [] };

const member = (name: string, rest: Partial<Member> = {}): Member => ({
  name,
  uid: `uid-of-${name}`,
  asked: undefined,
  claimed: undefined,
  observed: true,
  stage: 'present',
  ...rest,
});
const known = (nodes: Record<string, number>, retired: Record<string, number> = {}): Known => ({
  nodes: Object.entries(nodes).map(([name, index]) => ({ name, uid: `uid-of-${name}`, index })),
  retired: Object.entries(retired).map(([name, index]) => ({ index, name, at })),
});
const numbers = ({ nodes }: Known) => Object.fromEntries(nodes.map(({ name, index }) => [name, index]));
const reasons = (allocation: ReturnType<typeof assign>) => allocation.problems.map(({ reason }) => reason);

describe('who joins', () => {
  test('gets the lowest free number, in the natural order of names', () => {
    const members = ['node10', 'node2', 'node1'].map((name) => member(name));
    expect(numbers(assign(nothing, members, limits))).toEqual({ node1: 1, node2: 2, node10: 3 });
  });

  test('gets what spec.index asks for, and others get what is left', () => {
    const members = [member('a'), member('b', { asked: 1 }), member('c', { asked: 200, observed: false })];
    expect(numbers(assign(nothing, members, limits))).toEqual({ a: 2, b: 1, c: 200 });
  });

  test('skips numbers that are taken, retired, asked for or claimed', () => {
    const taken = [...limits.taken, { first: 2, last: 4, whose: 'x' }, { first: 3, last: 6, whose: 'y' }];
    const members = [member('a'), member('b'), member('c', { asked: 8 }), member('d', { claimed: 9 })];
    const before = known({ z: 1 }, { gone: 7 });
    const after = assign(before, [...members, member('z')], { ...limits, taken });
    expect(numbers(after)).toEqual({ z: 1, a: 10, b: 11, c: 8, d: 9 });
  });

  test('waits until its host was asked, and holds up nobody else once there are nodes', () => {
    const after = assign(
      known({ a: 1 }),
      [member('a'), member('b', { observed: false }), member('c')],
      limits,
    );
    expect(numbers(after)).toEqual({ a: 1, c: 2 });
    expect(after.unasked).toEqual(['b']);
  });

  test('may take a retired number if it says so', () => {
    const after = assign(known({ a: 1 }, { gone: 2 }), [member('a'), member('b', { asked: 2 })], limits);
    expect(numbers(after)).toEqual({ a: 1, b: 2 });
    expect(after.retired).toEqual([]);
  });

  test('gets none where none is left, and is named', () => {
    const after = assign(known({ a: 1 }), [member('a'), member('b'), member('c')], { ...limits, highest: 2 });
    expect(numbers(after)).toEqual({ a: 1, b: 2 });
    expect(after.problems).toEqual([
      { reason: 'NetworkExhausted', message: expect.stringContaining('NixNode c') },
    ]);
  });

  test('gets none beyond what a cluster holds', () => {
    const after = assign(nothing, [member('a'), member('b')], { ...limits, nodes: 1 });
    expect([numbers(after), reasons(after)]).toEqual([{ a: 1 }, ['TooManyNodes']]);
  });

  test('gets nothing new while it is being deleted', () => {
    const after = assign(known({ a: 1 }), [member('a'), member('b', { stage: 'leaving' })], limits);
    expect(numbers(after)).toEqual({ a: 1 });
  });
});

describe('a status that was lost', () => {
  test('gives nothing before every host was asked', () => {
    const members = [
      member('a', { claimed: 2 }),
      member('b', { observed: false }),
      member('c', { asked: 5 }),
    ];
    const after = assign(nothing, members, limits);
    expect([numbers(after), after.unasked]).toEqual([{}, ['b']]);
  });

  test('comes back from what hosts say, before anything is handed out', () => {
    const members = [member('a'), member('b', { claimed: 1 }), member('c', { claimed: 7 })];
    expect(numbers(assign(nothing, members, limits))).toEqual({ a: 2, b: 1, c: 7 });
  });

  test('a host that is being given up keeps its number until it is', () => {
    const leaving = member('a', { claimed: 3, stage: 'leaving' });
    expect(numbers(assign(nothing, [leaving], limits))).toEqual({ a: 3 });
    expect(retireLeavers(nothing, [{ ...leaving, stage: 'left' }], at).retired).toEqual([
      { index: 3, name: 'a', at },
    ]);
  });
});

describe('refused, with both names', () => {
  test.each<[string, Known, Member[]]>([
    ['two ask for it', nothing, [member('a', { asked: 7 }), member('b', { asked: 7 })]],
    ['two hosts have it', nothing, [member('a', { claimed: 7 }), member('b', { claimed: 7 })]],
    [
      'one asks, the host of another has it',
      nothing,
      [member('a', { asked: 7 }), member('b', { claimed: 7 })],
    ],
    ['status gave it to another', known({ a: 7 }), [member('a'), member('b', { asked: 7 })]],
  ])('a number, when %s', (_, before, members) => {
    const after = assign(before, [...members, member('c')], limits);
    expect(after.problems).toEqual([
      { reason: 'IndexConflict', message: expect.stringMatching(/^number 7 .* NixNodes a, b, /) },
    ]);
    expect(numbers(after)).toEqual({ ...numbers(before), c: 1 });
  });

  test.each([
    [0, /its subnet holds services/],
    [256, /no subnet beyond number 255/],
  ])('number %i, which no node can have', (asked, message) => {
    const after = assign(nothing, [member('a', { asked })], limits);
    expect(after.problems).toEqual([{ reason: 'IndexUnusable', message: expect.stringMatching(message) }]);
    expect(after.nodes).toEqual([]);
  });

  test('another number than the one that is for good', () => {
    const after = assign(known({ a: 1 }), [member('a', { asked: 2 })], limits);
    expect([numbers(after), reasons(after)]).toEqual([{ a: 1 }, ['IndexDiffers']]);
  });
});

describe('who leaves', () => {
  const before = known({ a: 1, b: 2 });

  test('frees its number by a reset', () => {
    const after = retireLeavers(before, [member('a'), member('b', { stage: 'reset' })], at);
    expect([numbers(after), after.retired]).toEqual([{ a: 1 }, []]);
  });

  test.each<[string, Member[]]>([
    ['is given up', [member('a'), member('b', { stage: 'left' })]],
    ['vanishes', [member('a')]],
  ])('takes its number along where it %s', (_, members) => {
    const after = retireLeavers(before, members, at);
    expect([numbers(after), after.retired]).toEqual([{ a: 1 }, [{ index: 2, name: 'b', at }]]);
    expect(numbers(assign(after, [...members, member('new')], limits)).new).toBe(3);
  });

  test('is not gone while it is being deleted', () => {
    expect(numbers(retireLeavers(before, [member('a'), member('b', { stage: 'leaving' })], at))).toEqual({
      a: 1,
      b: 2,
    });
  });

  test('a namesake takes the place, unless it asks for another number', () => {
    const same = retireLeavers(before, [member('a'), member('b', { uid: 'new' })], at);
    expect(same.nodes[1]).toEqual({ name: 'b', uid: 'new', index: 2 });
    const other = retireLeavers(before, [member('a'), member('b', { uid: 'new', asked: 9 })], at);
    expect([numbers(other), other.retired]).toEqual([{ a: 1 }, [{ index: 2, name: 'b', at }]]);
  });

  test('no number is forgotten where no more can be retired', () => {
    const retired = Array.from({ length: maxRetired }, (_, at_) => ({ index: at_ + 10, name: 'x', at }));
    const after = retireLeavers({ ...before, retired }, [member('a')], at);
    expect(numbers(after)).toEqual({ a: 1, b: 2 });
    expect(reasons(assign(after, [member('a')], { ...limits, highest: 65_535 }))).toEqual(['TooManyRetired']);
  });
});
