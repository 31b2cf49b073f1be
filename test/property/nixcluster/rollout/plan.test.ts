/** Hosts fail, releases turn out to be bad, people change their minds: no more nodes go down than may, and it ends. */
import fc from 'fast-check';
import { type Decision, planRollout, type Rules } from '../../../../controllers/nixcluster/rollout/plan.ts';
import type { Turn } from '../../../../controllers/nixcluster/rollout/turns.ts';
import { controlPlane, rules as usual, worker } from '../../../support/turns.ts';

type Node = {
  turn: Turn;
  runs: string;
  /** Whether its host is on. */
  up: boolean;
  built: string | undefined;
  /** The release that it took back. */
  rejected: string | undefined;
  decision: Decision | undefined;
};
type World = { nodes: Node[]; release: string; bad: Set<string>; stops: boolean; rules: Rules };

const holds = ({ decision }: Node): boolean =>
  ['Draining', 'Changing', 'Returning', 'Held'].includes(decision?.rollout?.state ?? '');

function turnOf(node: Node, world: World): Turn {
  const { up, runs } = node;
  const problem = up ? undefined : 'it is off';
  return {
    ...node.turn,
    ...{ desired: world.release, pending: runs !== world.release, built: node.built === world.release },
    ...{ stopsPods: world.stops, failed: node.rejected === world.release ? 'UnitsFailed' : undefined },
    ...{
      unwell: problem,
      unreachable: !up,
      down: !up,
      notServing: node.turn.controlPlane ? problem : undefined,
    },
    ...{ granted: node.decision?.granted, state: node.decision?.rollout?.state },
  };
}

/** Plans, and checks that nobody well is taken who cannot be spared. */
function plan(world: World): void {
  const turns = world.nodes.map((node) => turnOf(node, world));
  const before = new Set(world.nodes.filter(holds).map(({ turn }) => turn.name));
  const decisions = planRollout(turns, world.rules);
  for (const [at, node] of world.nodes.entries()) node.decision = decisions[at];
  for (const [at, turn] of turns.entries()) {
    const node = world.nodes[at]!;
    if (turn.pending && node.decision?.granted === turn.desired) expect(turn.failed).toBeUndefined();
    if (!holds(node) || before.has(turn.name) || turn.unwell !== undefined) continue;
    const others = turns.filter((_, other) => other !== at);
    const isAway = (one: Turn) => one.unwell !== undefined || holds(world.nodes[turns.indexOf(one)]!);
    if (turn.worker)
      expect(others.filter((one) => one.worker && isAway(one)).length).toBeLessThan(
        world.rules.maxUnavailable,
      );
    if (turn.controlPlane) expect(others.filter((one) => one.controlPlane && isAway(one))).toEqual([]);
  }
}

/** What one host does with its grant. */
function act(node: Node, world: World): void {
  if (!node.up) return;
  node.turn.closed = node.decision?.node === 'closed';
  node.turn.empty = node.turn.closed;
  const { release } = world;
  if (node.built !== release) node.built = release;
  else if (node.runs !== release && node.rejected !== release && node.decision?.granted === release) {
    if (world.bad.has(release)) node.rejected = release;
    else node.runs = release;
  }
}

const step = fc.oneof(
  fc.record({ do: fc.constant('plan' as const) }),
  fc.record({ do: fc.constantFrom('act' as const, 'fail' as const, 'repair' as const), at: fc.nat(9) }),
  fc.record({
    do: fc.constant('release' as const),
    name: fc.constantFrom('r2', 'r3', 'r4'),
    stops: fc.boolean(),
  }),
  fc.record({ do: fc.constant('pause' as const), at: fc.nat(9), paused: fc.boolean() }),
);

const cluster = fc
  .record({
    controlPlanes: fc.integer({ min: 1, max: 3 }),
    combined: fc.boolean(),
    workers: fc.integer({ min: 0, max: 5 }),
    maxUnavailable: fc.integer({ min: 1, max: 3 }),
    drain: fc.boolean(),
    bad: fc.subarray(['r2', 'r3']),
  })
  .map(({ controlPlanes, combined, workers, maxUnavailable, drain, bad }): World => {
    const turns = [
      ...Array.from({ length: controlPlanes }, (_, n) => controlPlane(`c${n}`, { worker: combined })),
      ...Array.from({ length: workers }, (_, n) => worker(`w${n}`)),
    ];
    return {
      nodes: turns.map((turn) => ({
        ...{ turn, runs: 'r1', up: true },
        ...{ built: undefined, rejected: undefined, decision: undefined },
      })),
      ...{ release: 'r1', bad: new Set(bad), stops: false, rules: { ...usual, maxUnavailable, drain } },
    };
  });

test('no more nodes are taken than can be spared, and all of them get a release that works', () => {
  fc.assert(
    fc.property(cluster, fc.array(step, { maxLength: 80 }), (world, steps) => {
      for (const one of steps) {
        const node = 'at' in one ? world.nodes[one.at % world.nodes.length]! : undefined;
        if (one.do === 'plan') plan(world);
        else if (one.do === 'act') act(node!, world);
        else if (one.do === 'fail') node!.up = false;
        else if (one.do === 'repair') node!.up = true;
        else if (one.do === 'pause') node!.turn.paused = one.paused;
        else if (one.do === 'release') Object.assign(world, { release: one.name, stops: one.stops });
      }
      Object.assign(world, { release: 'r5' });
      for (const node of world.nodes) {
        node.up = true;
        node.turn.paused = false;
      }
      for (let round = 0; round < world.nodes.length * 6 + 6; round++) {
        plan(world);
        for (const node of world.nodes) act(node, world);
      }
      expect(world.nodes.map(({ runs }) => runs)).toEqual(world.nodes.map(() => 'r5'));
      expect(world.nodes.filter(holds)).toEqual([]);
      expect(world.nodes.every(({ turn }) => !turn.closed)).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test('a release that fails gets no further than its first nodes', () => {
  fc.assert(
    fc.property(cluster, (world) => {
      Object.assign(world, { release: 'r2', bad: new Set(['r2']) });
      for (let round = 0; round < world.nodes.length * 6; round++) {
        plan(world);
        for (const node of world.nodes) act(node, world);
      }
      const touched = world.nodes.filter(({ rejected }) => rejected !== undefined);
      expect(touched.length).toBeGreaterThan(0);
      expect(touched.length).toBeLessThanOrEqual(world.rules.maxUnavailable);
    }),
  );
});
