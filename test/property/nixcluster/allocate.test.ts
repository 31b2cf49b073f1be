/**
 * Hosts come and go, are asked and reset, objects are lost and come back, in any order: a number never belongs to two
 * hosts that use it, and a host never changes its own.
 */
import fc from 'fast-check';
import { contains, overlaps, parseNetwork } from '../../../controllers/lib/core/network.ts';
import { assign } from '../../../controllers/nixcluster/allocate.ts';
import type { Member } from '../../../controllers/nixcluster/members.ts';
import { highestIndex, placeOf, servicesOf, takenIndexes } from '../../../controllers/nixcluster/network.ts';
import { type Known, retireLeavers } from '../../../controllers/nixcluster/retire.ts';
import { clusterOf } from '../../support/cluster-objects.ts';

const { network } = clusterOf({
  pods: [
    { cidr: 'fd88::/28', nodePrefix: 32 },
    { cidr: '10.88.0.0/20', nodePrefix: 24 },
  ],
  services: ['10.88.3.0/24'],
}).spec;
const limits = {
  highest: highestIndex(network),
  taken: takenIndexes(network, servicesOf(network)),
  nodes: 1000,
};
const at = '2026-11-21T10:00:00Z';

const names = ['a', 'b', 'c', 'd'] as const;
type Name = (typeof names)[number];

type Step =
  | { do: 'join'; name: Name; asked: number | undefined }
  | { do: 'observe' | 'begin deletion' | 'reset' | 'orphan' | 'vanish'; name: Name }
  | { do: 'lose the status of the cluster' }
  | { do: 'lose all statuses' };

const name = fc.constantFrom(...names);
const stepWith = (asked: fc.Arbitrary<number | undefined>, losses: number): fc.Arbitrary<Step> =>
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('join' as const), name, asked }) },
    { weight: 6, arbitrary: fc.record({ do: fc.constant('observe' as const), name }) },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constantFrom(
          'begin deletion' as const,
          'reset' as const,
          'orphan' as const,
          'vanish' as const,
        ),
        name,
      }),
    },
    { weight: losses, arbitrary: fc.record({ do: fc.constant('lose the status of the cluster' as const) }) },
    { weight: losses, arbitrary: fc.record({ do: fc.constant('lose all statuses' as const) }) },
  );

type Host = { number: number | undefined };
type Node = Member & { host: Host };

/** A world of hosts, one for each name, that outlive their objects; and the controller, which sees objects alone. */
class World {
  readonly hosts = new Map<Name, Host>(names.map((one) => [one, { number: undefined }]));
  readonly nodes = new Map<Name, Node>();
  known: Known = { nodes: [], retired: [] };
  /** Whether a host goes on of whose number nobody knows any more: its object is gone, and status was lost. */
  forgotten = false;
  /** Numbers that a user asked for by spec.index: theirs to answer for. */
  readonly insisted = new Set<number>();
  #joins = 0;

  step(step: Step): void {
    if (step.do === 'lose the status of the cluster' || step.do === 'lose all statuses') this.#lose(step.do);
    else if (step.do === 'join') this.#join(step.name, step.asked);
    else this.#change(step.name, step.do);
    this.reconcile();
  }

  #lose(what: 'lose the status of the cluster' | 'lose all statuses'): void {
    this.known = { nodes: [], retired: [] };
    if (what === 'lose all statuses')
      for (const node of this.nodes.values()) Object.assign(node, { observed: false, claimed: undefined });
    this.forgotten ||= names.some((one) => this.#isForgotten(one));
  }

  /** It has a number, and no object by which that could come back: who asks for another one is not asked what he has. */
  #isForgotten(one: Name): boolean {
    const { number } = this.hosts.get(one)!;
    const node = this.nodes.get(one);
    if (number === undefined) return false;
    return !node || (!node.observed && node.asked !== undefined && node.asked !== number);
  }

  #join(one: Name, asked: number | undefined): void {
    if (this.nodes.has(one)) return;
    if (asked !== undefined) this.insisted.add(asked);
    this.#joins += 1;
    const host = this.hosts.get(one)!;
    const uid = `${one}-${this.#joins}`;
    this.nodes.set(one, {
      name: one,
      uid,
      asked,
      claimed: undefined,
      observed: false,
      stage: 'present',
      host,
    });
  }

  #change(one: Name, what: 'observe' | 'begin deletion' | 'reset' | 'orphan' | 'vanish'): void {
    const node = this.nodes.get(one);
    if (!node) return;
    switch (what) {
      case 'observe':
        Object.assign(node, { observed: true, claimed: node.host.number });
        return;
      case 'begin deletion':
        node.stage = 'leaving';
        return;
      case 'reset':
        node.host.number = undefined;
        node.stage = 'reset';
        this.reconcile();
        this.nodes.delete(one);
        return;
      case 'orphan':
        this.forgotten ||= this.#isUnknown(node) && node.claimed === undefined;
        node.stage = 'left';
        this.reconcile();
        this.nodes.delete(one);
        return;
      case 'vanish':
        this.forgotten ||= this.#isUnknown(node);
        this.nodes.delete(one);
    }
  }

  /** Its host has a number that was lost, and goes before it could be entered again. */
  #isUnknown({ name: one, host }: Node): boolean {
    return host.number !== undefined && !this.known.nodes.some((entry) => entry.name === one);
  }

  /** The controller's part; then hosts that were asked are deployed, and have the number of their node. */
  reconcile(): void {
    const members = [...this.nodes.values()];
    const before = new Map(this.known.nodes.map(({ uid, index }) => [uid, index]));
    const { nodes, retired, problems } = assign(retireLeavers(this.known, members, at), members, limits);
    this.known = { nodes, retired };
    for (const { name: one, uid, index } of nodes) {
      if (before.has(uid)) expect({ uid, index }).toEqual({ uid, index: before.get(uid) });
      const node = this.nodes.get(one as Name);
      if (node?.observed && node.stage === 'present') Object.assign(node.host, { number: index });
      if (node?.observed && node.stage === 'present') node.claimed = index;
    }
    this.check();
    if (this.insisted.size === 0 && !this.forgotten) {
      const conflicts = problems.filter(({ reason }) => reason !== 'NetworkExhausted');
      expect(conflicts).toEqual([]);
    }
  }

  check(): void {
    const numbers = this.known.nodes.map(({ index }) => index);
    expect(new Set(numbers).size).toBe(numbers.length);
    for (const { index } of this.known.retired) expect(numbers).not.toContain(index);
    for (const index of numbers) {
      expect(index).toBeGreaterThan(0);
      expect(index).toBeLessThanOrEqual(limits.highest);
    }
    if (this.forgotten) return;
    const used = names.map((one) => this.hosts.get(one)!.number).filter((index) => index !== undefined);
    const once = used.filter((index) => !this.insisted.has(index));
    expect(new Set(once).size).toBe(once.length);
  }
}

const never = fc.constant(undefined);
const sometimes = fc.oneof({ weight: 2, arbitrary: never }, fc.integer({ min: 1, max: 16 }));

test.each([
  ['left to the operator', never, 0],
  ['left to the operator, which forgets them', never, 1],
  ['asked for now and then', sometimes, 0],
  ['asked for now and then, and forgotten', sometimes, 1],
])('numbers that are %s', (_, asked, losses) => {
  const steps = fc.array(stepWith(asked, losses), { maxLength: 60, size: 'max' });
  fc.assert(
    fc.property(steps, (taken) => {
      const world = new World();
      for (const step of taken) world.step(step);
    }),
    { numRuns: 200 },
  );
});

test('a status that was lost comes back as it was, in whatever order hosts are asked', () => {
  const joined = fc.uniqueArray(name, { minLength: 1 });
  fc.assert(
    fc.property(joined, fc.infiniteStream(fc.nat()), (order, chance) => {
      const world = new World();
      for (const one of order) {
        world.step({ do: 'join', name: one, asked: undefined });
        world.step({ do: 'observe', name: one });
      }
      const before = world.known.nodes;
      expect(before).toHaveLength(order.length);
      world.step({ do: 'lose all statuses' });
      const asked = [...order].sort(() => (chance.next().value! % 2) - 0.5);
      for (const one of asked) {
        expect(world.known.nodes).toEqual([]);
        world.step({ do: 'observe', name: one });
      }
      expect(world.known.nodes).toEqual(before);
    }),
  );
});

test('the subnets of two numbers share nothing, and lie within pods and beside services', () => {
  const index = fc.integer({ min: 1, max: limits.highest });
  fc.assert(
    fc.property(index, index, (a, b) => {
      const [one, other] = [placeOf(network, a), placeOf(network, b)];
      for (const [family, subnet] of one.podCIDRs.map(parseNetwork).entries()) {
        expect(contains(parseNetwork(network.pods[family]!.cidr), subnet)).toBe(true);
        expect(overlaps(subnet, parseNetwork(other.podCIDRs[family]!))).toBe(a === b);
        const taken = limits.taken.some(({ first, last }) => first <= a && a <= last);
        if (!taken) {
          for (const service of network.services) expect(overlaps(subnet, parseNetwork(service))).toBe(false);
        }
      }
    }),
  );
});
