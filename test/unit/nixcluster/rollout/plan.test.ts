import { type Decision, planRollout, type Rules } from '../../../../controllers/nixcluster/rollout/plan.ts';
import { checkRollout } from '../../../../controllers/nixcluster/rollout/verdict.ts';
import type { ClusterNode } from '../../../../crds/index.ts';
import { type Change, controlPlane, frontend, rules, worker } from '../../../support/turns.ts';

const decide = (turns: Change[], more: Partial<Rules> = {}): Record<string, Decision> =>
  Object.fromEntries(planRollout(turns, { ...rules, ...more }).map((one) => [one.name, one]));
const statesOf = (turns: Change[], more: Partial<Rules> = {}): (string | undefined)[] =>
  planRollout(turns, { ...rules, ...more }).map(({ rollout }) => rollout?.state);
const pending = { pending: true, built: true };

test('what is not part of the cluster yet goes at once', () => {
  const turns = [1, 2, 3].map((n) => controlPlane(`node${n}`, { ...pending, living: false, built: false }));
  for (const { granted, restart, rollout } of Object.values(decide(turns)))
    expect({ granted, restart, rollout }).toEqual({ granted: 'new', restart: 'new', rollout: undefined });
});

test('the control plane goes first, one by one, then workers', () => {
  const turns = [worker('a', pending), controlPlane('b', pending), controlPlane('c', pending)];
  expect(statesOf(turns)).toEqual(['Waiting', 'Changing', 'Waiting']);
  const { a, c } = decide(turns);
  expect(a!.rollout!.message).toBe('the control plane changes first: b');
  expect(c!.rollout!.message).toBe('b is being changed, and control-plane nodes change one by one');
});

test('workers wait for a control plane that still builds', () => {
  const turns = [worker('a', pending), controlPlane('b', { ...pending, built: false })];
  expect(statesOf(turns)).toEqual(['Waiting', 'Waiting']);
  expect(decide(turns).b!.rollout!.message).toBe('b builds release new');
});

test('as many workers as may be away', () => {
  const turns = ['a', 'b', 'c', 'd'].map((name) => worker(name, pending));
  expect(statesOf(turns, { maxUnavailable: 2 })).toEqual(['Changing', 'Changing', 'Waiting', 'Waiting']);
});

test('those that are down count, and go first', () => {
  const turns = [worker('a', pending), worker('b', { ...pending, unwell: 'its Node is not ready' })];
  expect(statesOf(turns)).toEqual(['Waiting', 'Changing']);
  const others = [worker('a', pending), worker('b', { unwell: 'its Node is not ready' })];
  expect(statesOf(others)).toEqual(['Waiting', undefined]);
  expect(decide(others).a!.rollout!.message).toBe('b is down: its Node is not ready');
});

test('nobody takes a turn that he cannot use', () => {
  const turns = [
    worker('a', { ...pending, unreachable: true, unwell: 'its host is not well' }),
    worker('b', { ...pending, paused: true }),
    worker('c', { ...pending, restart: 'refused' }),
    worker('d', { ...pending, stuck: 'BuildFailed' }),
    worker('e', pending),
  ];
  expect(statesOf(turns, { maxUnavailable: 2 })).toEqual([...Array(4).fill('Waiting'), 'Changing']);
  const said = Object.values(decide(turns, { maxUnavailable: 2 })).map(({ rollout }) => rollout!.message);
  expect(said).toEqual([
    'a cannot be reached',
    'b is paused (spec.deploy.mode)',
    'c needs a restart, which its spec.deploy.reboot does not allow',
    'd cannot make release new (BuildFailed)',
    'e is being changed',
  ]);
});

test('a turn ends where the next release cannot be made, and the node is opened', () => {
  const begun = { ...pending, built: false, stuck: 'EvaluationFailed', closed: true, empty: true };
  for (const state of ['Draining', 'Changing'] as const) {
    const turns = [worker('a', { ...begun, state }), worker('b', pending)];
    expect(statesOf(turns)).toEqual(['Waiting', 'Changing']);
    const { rollout, ...a } = decide(turns).a!;
    expect(rollout!.message).toBe('a cannot make release new (EvaluationFailed)');
    expect(a).toEqual({ name: 'a', granted: undefined, restart: undefined, node: 'open' });
  }
  const down = worker('a', { ...begun, state: 'Changing', unwell: 'its host is not well' });
  expect(statesOf([down, worker('b', pending)])).toEqual(['Changing', 'Waiting']);
});

describe('a control-plane node', () => {
  const down = controlPlane('b', { notServing: 'its member of etcd is not healthy' });
  test('waits while another one does not serve', () => {
    expect(decide([controlPlane('a', pending), down]).a!.rollout).toEqual({
      state: 'Waiting',
      message: 'control-plane node b is missing: its member of etcd is not healthy',
    });
  });
  test('is repaired although another one does not serve', () => {
    const broken = { ...pending, notServing: 'the API of the cluster does not answer' };
    expect(statesOf([controlPlane('a', broken), down], { api: 'Lost' })).toEqual(['Changing', undefined]);
  });
  test('waits while it is not known who serves', () => {
    expect(statesOf([controlPlane('a', pending)], { api: 'Silent' })).toEqual(['Waiting']);
  });
  test('waits for etcd', () => {
    const etcd = 'member x of etcd is not healthy';
    expect(decide([controlPlane('a', pending)], { etcd }).a!.rollout!.message).toBe(etcd);
  });
  test('waits while another one leaves', () => {
    const turns = [controlPlane('a', pending), controlPlane('b', { leaving: true })];
    expect(planRollout(turns, rules).map(({ name, rollout }) => [name, rollout?.state])).toEqual([
      ['a', 'Waiting'],
    ]);
  });
  test('that works counts among the workers', () => {
    const turns = [
      controlPlane('a', { ...pending, worker: true }),
      worker('b', { unwell: 'its Node is not ready' }),
    ];
    expect(statesOf(turns)).toEqual(['Waiting', undefined]);
  });
});

describe('a turn', () => {
  const turn = { ...pending, stopsPods: true };
  const other = worker('b');

  test('begins with a drain where pods would stop', () => {
    expect(decide([worker('a', turn), other]).a).toMatchObject({
      granted: undefined,
      rollout: { state: 'Draining' },
      node: 'closed',
    });
    expect(
      decide([worker('a', { ...turn, state: 'Draining', closed: true, empty: true }), other]).a,
    ).toMatchObject({
      granted: 'new',
      restart: 'new',
      rollout: { state: 'Changing' },
      node: 'closed',
    });
  });

  test.each<[string, Change[], Partial<Rules>]>([
    ['where pods go on', [worker('a', pending), other], {}],
    ['where nobody wants it', [worker('a', turn), other], { drain: false }],
    ['where pods have nowhere to go', [worker('a', turn)], {}],
    ['where pods are down already', [worker('a', { ...turn, down: true, unwell: 'x' }), other], {}],
    ['where nothing runs pods', [frontend('a', turn), other], {}],
  ])('drains nothing %s', (_, turns, more) => {
    expect(decide(turns, more).a).toMatchObject({
      granted: 'new',
      rollout: { state: 'Changing' },
      node: 'open',
    });
  });

  test('drains before a restart that turns out to be needed, and not before', () => {
    const changing = { ...pending, state: 'Changing' } as const;
    expect(decide([worker('a', changing), other]).a).toMatchObject({ granted: 'new', restart: undefined });
    const due = { ...changing, restart: 'due' } as const;
    expect(decide([worker('a', due), other]).a).toMatchObject({
      granted: 'new',
      restart: undefined,
      rollout: { state: 'Draining' },
    });
    expect(decide([worker('a', { ...due, closed: true, empty: true }), other]).a).toMatchObject({
      restart: 'new',
      node: 'closed',
    });
    // On its way down the Node does not open.
    expect(decide([worker('a', { ...changing, closed: true, down: true, unwell: 'x' }), other]).a!.node).toBe(
      'closed',
    );
  });

  test('lasts until the node is back', () => {
    const changed = { state: 'Changing', closed: true } as const;
    const back = decide([worker('a', { ...changed, unwell: 'its Node is not ready' }), worker('b', pending)]);
    expect(back.a).toMatchObject({ granted: undefined, rollout: { state: 'Returning' }, node: 'open' });
    expect(back.b!.rollout).toEqual({ state: 'Waiting', message: 'a is down: its Node is not ready' });
    // Nothing would wake the next one later.
    expect(statesOf([worker('a', changed), worker('b', pending)])).toEqual([undefined, 'Changing']);
  });

  test('that ends badly stops all others, and is taken up again by the next release', () => {
    const failed = { ...pending, state: 'Changing', failed: 'UnitsFailed' } as const;
    const held = decide([worker('a', pending), worker('b', failed)], { maxUnavailable: 5 });
    expect(held.b).toMatchObject({ granted: undefined, rollout: { state: 'Held' }, node: 'open' });
    expect(held.a!.rollout).toEqual({ state: 'Waiting', message: 'release new failed on b (UnitsFailed)' });
    const fix = { ...pending, state: 'Held', desired: 'fix' } as const;
    const fixed = decide([worker('a', pending), worker('b', fix)]);
    expect(fixed.b!.granted).toBe('fix');
    expect(fixed.a!.rollout!.state).toBe('Waiting');
  });

  test('that is paused holds up nobody', () => {
    const turns = [
      worker('a', { ...pending, state: 'Draining', closed: true, paused: true }),
      worker('b', pending),
    ];
    expect(decide(turns).a).toMatchObject({ granted: undefined, node: 'open' });
    expect(decide(turns).b!.rollout!.state).toBe('Changing');
  });
});

describe('the condition', () => {
  const check =
    (turns: Change[], nodes: ClusterNode[] = []) =>
    () =>
      checkRollout({ turns, decisions: planRollout(turns, rules), nodes });
  const leaving = (departure: object) =>
    ({ name: 'z', departure: { stage: 'Draining', since: '', ...departure } }) as unknown as ClusterNode;
  test('says who leaves', () => {
    expect(check([worker('a')], [leaving({ message: '1 pod is left' })])).toThrow(
      expect.objectContaining({ reason: 'RollingOut', message: 'z leaves: 1 pod is left' }),
    );
    expect(check([worker('a')], [leaving({ message: 'it is the last', guarded: true })])).toThrow(
      expect.objectContaining({ reason: 'RolloutHeld' }),
    );
    expect(check([worker('a')], [leaving({ stage: 'Done' })])).not.toThrow();
  });
  test('holds where there is nothing to do', () => {
    expect(check([worker('a'), controlPlane('b')])).not.toThrow();
    expect(check([worker('a', { ...pending, living: false })])).not.toThrow();
  });
  test('says who changes and who waits', () => {
    expect(check([worker('a', pending), worker('b', pending), worker('c')])).toThrow(
      expect.objectContaining({
        verdict: 'progressing',
        reason: 'RollingOut',
        message: '1 of 3 nodes run what they should: a is being changed',
      }),
    );
  });
  test.each([
    { paused: true },
    { failed: 'UnitsFailed', state: 'Held' as const },
    { failed: 'UnitsFailed', built: false },
    { stuck: 'BuildFailed', built: false },
  ])('says what does not go on by itself: %j', (more) => {
    expect(check([worker('a', { ...pending, ...more }), worker('b', pending), worker('c')])).toThrow();
    expect(check([worker('a', { ...pending, ...more })])).toThrow(
      expect.objectContaining({ verdict: 'waiting', reason: 'RolloutHeld' }),
    );
  });
});
