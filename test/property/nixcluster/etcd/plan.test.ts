/** Whatever happens in whatever order: no action without a majority, no member twice, no second cluster; and in the end all is well. */
import fc from 'fast-check';
import { EtcdWorld } from '../../../support/etcd-world.ts';

const names = ['a', 'b', 'c'] as const;
const name = fc.constantFrom(...names);

const onHosts = ['sync', 'start', 'down', 'stop', 'disk', 'up'] as const;
const onAll = ['visit', 'rounds', 'forget', 'forgetAll'] as const;
type Event = { what: (typeof onHosts)[number]; name: string } | { what: (typeof onAll)[number] };

const each = (...what: (typeof onHosts)[number][]): fc.Arbitrary<Event> =>
  fc.record({ what: fc.constantFrom(...what), name });
const all = (...what: (typeof onAll)[number][]): fc.Arbitrary<Event> =>
  fc.record({ what: fc.constantFrom(...what) });
const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 10, arbitrary: all('visit') },
  { weight: 16, arbitrary: each('sync', 'start') },
  { weight: 3, arbitrary: each('down', 'stop', 'disk', 'up') },
  { weight: 2, arbitrary: all('rounds') },
  { weight: 1, arbitrary: all('forget', 'forgetAll') },
);

function play(world: EtcdWorld, events: readonly Event[]): void {
  for (const one of events) {
    if ('name' in one) {
      if (one.what === 'sync') world.sync(one.name);
      else if (one.what === 'start') world.start(one.name);
      else if (one.what === 'up') world.recover(one.name);
      else world.fail(one.name, one.what);
    } else if (one.what === 'visit') world.visit();
    else if (one.what === 'rounds') settle(world, 8);
    else world[one.what]();
  }
}

/** Everything that goes on by itself, until nothing is left to do. */
function settle(world: EtcdWorld, rounds = 40): void {
  for (let round = 0; round < rounds; round++) {
    for (const { name } of world.hosts) {
      world.recover(name);
      world.sync(name);
      world.start(name);
      world.sync(name);
    }
    world.visit();
  }
}

const voters = ({ status }: EtcdWorld) =>
  (status?.members ?? []).filter(({ learner, healthy }) => !learner && healthy).map(({ node }) => node);

/** Runs scenarios, and says how many of them faults alone did not end. */
function whole(lengths: { minLength?: number; maxLength: number }, runs: number, scenario: Scenario): number {
  let count = 0;
  fc.assert(
    fc.property(fc.array(event, lengths), name, (events, who) => {
      const { world, expected } = scenario(events, who);
      settle(world);
      if (world.isBroken) return;
      count += 1;
      expect(voters(world).sort()).toEqual(expected);
      expect(world.status?.initial).toBeUndefined();
    }),
    { numRuns: runs },
  );
  return count;
}
type Scenario = (events: Event[], who: string) => { world: EtcdWorld; expected: readonly string[] };

test('three nodes from nothing', () => {
  const done = whole({ maxLength: 60 }, 1000, (events) => {
    const world = new EtcdWorld(names);
    for (const one of names) world.sync(one);
    play(world, events);
    return { world, expected: names };
  });
  expect(done).toBeGreaterThan(300);
});

test('three that stand', () => {
  const done = whole({ minLength: 20, maxLength: 120 }, 500, (events) => {
    const world = new EtcdWorld(names);
    settle(world);
    play(world, events);
    expect(world.isBroken || world.lists.size).not.toBe(2);
    return { world, expected: names };
  });
  expect(done).toBeGreaterThan(100);
});

test('one leaves', () => {
  whole({ maxLength: 80 }, 300, (events, who) => {
    const world = new EtcdWorld(names);
    settle(world);
    world.host(who).stage = 'leaving';
    play(world, events);
    return { world, expected: names.filter((one) => one !== who) };
  });
});

test('one leaves, and comes back with the data that it had', () => {
  whole({ maxLength: 80 }, 300, (events, who) => {
    const world = new EtcdWorld(names);
    settle(world);
    world.host(who).stage = 'leaving';
    settle(world, 4);
    world.host(who).stage = 'wanted';
    play(world, events);
    return { world, expected: names };
  });
});

test('from one on unix sockets to three', () => {
  whole({ maxLength: 80 }, 300, (events) => {
    const world = new EtcdWorld(names);
    for (const one of ['b', 'c']) world.host(one).stage = 'leaving';
    settle(world, 6);
    expect(world.status).toMatchObject({ state: 'Alone', transport: 'Socket' });
    for (const one of ['b', 'c']) world.host(one).stage = 'wanted';
    play(world, events);
    return { world, expected: names };
  });
});

test('what is lost is not begun anew before somebody says so', () => {
  const world = new EtcdWorld(['a']);
  settle(world, 4);
  const { clusterID } = world.status!;
  world.fail('a', 'disk');
  settle(world, 4);
  expect(world.status?.state).toBe('Lost');
  for (const loss of ['another', 'c2']) {
    world.accepted = { removal: undefined, loss };
    settle(world, 4);
    expect(world.status?.state).toBe('Lost');
  }
  world.accepted = { removal: undefined, loss: clusterID };
  for (let looks = 0; looks < 3; looks++) world.visit();
  settle(world, 4);
  expect(world.status).toMatchObject({ state: 'Alone', clusterID: 'c2' });
  // That was about the first one.
  world.fail('a', 'disk');
  settle(world, 4);
  expect(world.status?.state).toBe('Lost');
});

test('nor where nobody but its host remembers', () => {
  const world = new EtcdWorld(['a']);
  settle(world, 4);
  world.fail('a', 'disk');
  world.forgetAll();
  settle(world, 4);
  expect(world.status?.state).toBe('Lost');
  world.accepted = { removal: undefined, loss: world.host('a').started };
  for (let looks = 0; looks < 3; looks++) world.visit();
  expect(() => settle(world, 4)).toThrow('begins a second cluster');
});
