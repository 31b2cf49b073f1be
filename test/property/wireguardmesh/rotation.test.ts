/** No packet is lost in a rotation, whatever the order in which hosts take up files and the operator sees them. */
import * as fc from 'fast-check';
import {
  allLost,
  asking,
  emptyWorld,
  fingerprint,
  nameOfHost,
  settle,
  stepsOf,
  take,
  type World,
  withHost,
  withoutHost,
} from '../../support/mesh-world.ts';

/** Every world that can be reached; bounded, so that a mistake ends in words. Returns those in which nothing is left to do. */
function explore(start: World, visit: (world: World) => void): World[] {
  const seen = new Set([fingerprint(start)]);
  const open = [start];
  const ends: World[] = [];
  for (let world = open.pop(); world !== undefined; world = open.pop()) {
    visit(world);
    const here = world;
    const next = stepsOf(here).map((step): [string, World] => {
      const after = take(here, step);
      return [fingerprint(after), after];
    });
    const mine = fingerprint(here);
    if (next.every(([print]) => print === mine)) ends.push(here);
    for (const [print, one] of next) {
      if (seen.has(print)) continue;
      if (seen.size > 100_000) throw new Error('there is no end to it');
      seen.add(print);
      open.push(one);
    }
  }
  return ends;
}

test.each([
  ['two nodes', [1, 2], []],
  ['two nodes behind NAT and one that relays', [1, 2, 3], [2, 3]],
] as const)('%s: nothing is lost in any interleaving, and each comes to an end', (_, all, hidden) => {
  const start = asking(settle(emptyWorld(all, hidden)), 'now');
  expect(start.mesh.status).toMatchObject({ epoch: 1, connected: `${all.length}/${all.length}` });
  let worlds = 0;
  const ends = explore(start, (world) => {
    worlds += 1;
    const lost = allLost(world, all);
    if (lost.length > 0) throw new Error(`${lost.join('; ')}\n${fingerprint(world)}`);
  });
  expect(worlds).toBeGreaterThan(50);
  expect(ends.length).toBeGreaterThan(0);
  for (const { mesh, hosts } of ends) {
    expect(mesh.status).toMatchObject({ epoch: 2, request: 'now', rotation: undefined });
    expect([...hosts.values()].map(({ keys }) => keys)).toEqual(all.map(() => [2]));
  }
});

const five = [1, 2, 3, 4, 5];
const hiddenOnes = fc.subarray([2, 3, 4, 5]);
const walk = fc.array(fc.nat(1000), { minLength: 20, maxLength: 120 });

const walked = (start: World, choices: readonly number[], visit: (world: World) => void): World =>
  choices.reduce((world, choice) => {
    const steps = stepsOf(world);
    const next = take(world, steps[choice % steps.length]!);
    visit(next);
    return next;
  }, start);

test('five nodes on random walks', () => {
  void fc.assert(
    fc.property(hiddenOnes, walk, (hidden, choices) => {
      const start = asking(settle(emptyWorld(five, hidden)), 'now');
      const last = walked(start, choices, (world) => expect(allLost(world, five)).toEqual([]));
      expect(settle(last).mesh.status).toMatchObject({ epoch: 2, connected: '5/5' });
    }),
    { numRuns: 15, endOnFailure: true },
  );
});

test('a node that joins in the middle of it costs the others nothing, and takes part in the end', () => {
  void fc.assert(
    fc.property(fc.subarray([2, 3]), walk, walk, (hidden, before, after) => {
      // Node 1 alone can be dialled among the others, and the new one cannot: no pair gets another relay.
      const old = [1, 2, 3];
      const start = asking(settle(emptyWorld(old, [...hidden, 4])), 'now');
      const visit = (world: World) => expect(allLost(world, old)).toEqual([]);
      const last = settle(walked(withHost(walked(start, before, visit), 4), after, visit));
      expect(last.mesh.status).toMatchObject({ epoch: 2, connected: '4/4', rotation: undefined });
      expect(allLost(last, [...old, 4])).toEqual([]);
    }),
    { numRuns: 15, endOnFailure: true },
  );
});

test('a host that never takes up the file holds the rotation, and nothing is lost while it does', () => {
  const start = asking(settle(emptyWorld([1, 2, 3], [])), 'now');
  let world = start;
  for (let round = 0; round < 20; round += 1) {
    for (const step of stepsOf(world)) if (!('host' in step && step.host === 3)) world = take(world, step);
    expect(allLost(world, [1, 2, 3])).toEqual([]);
  }
  expect(world.mesh.status?.rotation).toMatchObject({
    stage: 'Prepare',
    waitsFor: `${nameOfHost(3)} has no key of epoch 2 yet`,
  });
  expect(settle(withoutHost(world, 3)).mesh.status).toMatchObject({ epoch: 2, connected: '2/2' });
});

test('status that is lost in any stage comes back from the hosts, and nothing is lost over it', () => {
  void fc.assert(
    fc.property(walk, walk, (before, after) => {
      const all = [1, 2, 3];
      const visit = (world: World) => expect(allLost(world, all)).toEqual([]);
      const middle = walked(asking(settle(emptyWorld(all, [3])), 'now'), before, visit);
      // The operator looks at every host before it plans anew.
      const looked = all.reduce((world, host) => take(world, { kind: 'tell', host }), middle);
      const planned = take({ ...looked, mesh: { ...looked.mesh, status: {} } }, { kind: 'plan' });
      const last = settle(walked(planned, after, visit));
      expect(last.mesh.status).toMatchObject({ connected: '3/3', rotation: undefined, request: 'now' });
    }),
    { numRuns: 15, endOnFailure: true },
  );
});
