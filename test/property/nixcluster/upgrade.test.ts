/** What the version skew policy forbids never happens, whoever changes what and in whichever order nodes follow. */
import fc from 'fast-check';
import { planUpgrade, type UpgradeNode, type Versions } from '../../../controllers/nixcluster/upgrade.ts';
import { type ComponentGroup, componentGroups } from '../../../crds/index.ts';

type Step =
  | { do: 'want'; minor: number }
  | { do: 'follow'; node: number }
  | { do: 'join'; controlPlane: boolean }
  | { do: 'leave'; node: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('want' as const), minor: fc.integer({ min: 34, max: 41 }) }),
  },
  { weight: 12, arbitrary: fc.record({ do: fc.constant('follow' as const), node: fc.nat(7) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('join' as const), controlPlane: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('leave' as const), node: fc.nat(7) }) },
);

const cluster = fc.record({
  controlPlanes: fc.integer({ min: 1, max: 3 }),
  workers: fc.integer({ min: 0, max: 3 }),
});

/** A cluster as the roll-out moves it: a node takes what is wanted of it now, or nothing. */
class World {
  nodes: UpgradeNode[] = [];
  wanted = 36;
  #names = 0;

  join(controlPlane: boolean): void {
    if (this.nodes.length >= 8) return;
    const groups: readonly ComponentGroup[] = controlPlane ? componentGroups : ['kubelet'];
    this.#names += 1;
    this.nodes.push({ name: `node${this.#names}`, groups, runs: {} });
  }

  plan = () => planUpgrade(this.wanted, this.nodes);

  follow(at: number): void {
    const node = this.nodes[at % this.nodes.length];
    if (node) this.take(node, this.plan().nodes.get(node.name)!);
  }

  take(node: UpgradeNode, next: Versions): void {
    for (const group of node.groups) {
      const [from, to] = [node.runs[group], next[group]!];
      expect(to).toBeGreaterThanOrEqual(from ?? 0);
      if (from !== undefined && group !== 'kubelet') expect(to - from).toBeLessThanOrEqual(1);
    }
    node.runs = next;
  }

  act(step: Step): void {
    if (step.do === 'want') this.wanted = step.minor;
    else if (step.do === 'join') this.join(step.controlPlane);
    else if (step.do === 'follow') this.follow(step.node);
    // The last control-plane node takes the cluster with it.
    else if (this.nodes.filter(({ groups }) => groups.length > 1).length > 1) {
      this.nodes.splice(step.node % this.nodes.length, 1);
      if (!this.nodes.some(({ groups, runs }) => groups.length > 1 && runs.apiServer !== undefined)) {
        this.nodes = this.nodes.filter(({ groups }) => groups.length > 1);
      }
    }
    this.check();
  }

  check(): void {
    const apiServers = this.nodes.flatMap(({ runs }) => runs.apiServer ?? []);
    if (apiServers.length === 0) return;
    const [oldest, newest] = [Math.min(...apiServers), Math.max(...apiServers)];
    expect(newest - oldest).toBeLessThanOrEqual(1);
    for (const { runs } of this.nodes) {
      if (runs.kubelet !== undefined) {
        expect(runs.kubelet).toBeLessThanOrEqual(oldest);
        expect(runs.kubelet).toBeGreaterThanOrEqual(newest - 3);
      }
      if (runs.controllers === undefined || runs.apiServer === undefined) continue;
      expect(runs.controllers).toBeLessThanOrEqual(runs.apiServer);
      expect(runs.controllers).toBeGreaterThanOrEqual(runs.apiServer - 1);
    }
  }
}

const worldOf = ({ controlPlanes, workers }: { controlPlanes: number; workers: number }): World => {
  const world = new World();
  for (let count = 0; count < controlPlanes; count++) world.join(true);
  for (let count = 0; count < workers; count++) world.join(false);
  for (let at = 0; at < world.nodes.length; at++) world.follow(at);
  return world;
};

test('no step breaks the policy, and no minor is skipped', () => {
  fc.assert(
    fc.property(cluster, fc.array(step, { maxLength: 120 }), (of, steps) => {
      const world = worldOf(of);
      world.check();
      for (const one of steps) world.act(one);
    }),
    { numRuns: 400 },
  );
});

test('one minor up is reached on every node, whatever the order, and then nothing moves', () => {
  fc.assert(
    fc.property(cluster, fc.array(fc.nat(7), { minLength: 10, maxLength: 10 }), (of, order) => {
      const world = worldOf(of);
      world.wanted = 37;
      const stages = new Set<ComponentGroup | null>();
      for (let round = 0; round < 5; round++) {
        stages.add(world.plan().stage);
        for (const at of [...order, ...world.nodes.keys()]) {
          world.follow(at);
          world.check();
        }
      }
      expect([...stages].at(-1)).toBeNull();
      for (const { groups, runs } of world.nodes) {
        expect(runs).toEqual(Object.fromEntries(groups.map((group) => [group, 37])));
      }
      expect(world.plan()).toMatchObject({ runs: 37, to: 37, stage: null, refusal: null, progress: '' });
    }),
    { numRuns: 200 },
  );
});
