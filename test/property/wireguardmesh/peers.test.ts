/** What peers of any mesh have in common: they know each other, share out all addresses, and stay when others come and go. */
import * as fc from 'fast-check';
import { type PeersFile, peersFile } from '../../../controllers/wireguardmesh/peers.ts';
import type { MeshNode } from '../../../crds/index.ts';
import { cidrsOf, clusterOf, meshNodeOf, meshWith, nameOf, publicKeyOf } from '../../support/mesh.ts';

type Plan = { index: number; isHidden: boolean; epochs: number[] };

const plan = fc.record({
  index: fc.integer({ min: 1, max: 400 }),
  isHidden: fc.boolean(),
  epochs: fc.subarray([1, 2]),
});
const plans = fc.uniqueArray(plan, { minLength: 1, maxLength: 12, selector: ({ index }) => index });
const stage = fc.constantFrom(undefined, 'Prepare' as const, 'Move' as const);

const nodeFrom = ({ index, isHidden, epochs }: Plan): MeshNode =>
  meshNodeOf(index, { epochs, ...(isHidden && { behindNAT: true }) });

const laptop = {
  name: 'laptop',
  publicKey: publicKeyOf('laptop'),
  allowedIPs: ['fd89::10/128', '10.99.0.1/32'],
};

function filesOf(nodes: readonly Plan[], at: 'Prepare' | 'Move' | undefined): Map<string, PeersFile> {
  const rotation = at && { stage: at, epoch: 2, startedAt: '2026-11-21T12:00:00Z' };
  const mesh = meshWith(nodes.map(nodeFrom), { spec: { externalPeers: [laptop] }, status: { rotation } });
  const cluster = clusterOf(nodes.map(({ index }) => index));
  return new Map(nodes.map(({ index }) => [nameOf(index), peersFile(mesh, cluster, nameOf(index))!]));
}

const withAllKeys = (nodes: readonly Plan[]): Plan[] => nodes.map((node) => ({ ...node, epochs: [1, 2] }));
const options = { numRuns: 60, endOnFailure: true };

test('one has the other exactly if the other has the one, in each epoch', () => {
  void fc.assert(
    fc.property(plans, stage, (nodes, at) => {
      const files = filesOf(nodes, at);
      const pairs = [...files].flatMap(([self, { epochs }]) =>
        epochs.flatMap(({ epoch, peers }) =>
          peers.filter(({ name }) => name !== 'laptop').map(({ name }) => [epoch, self, name] as const),
        ),
      );
      const there = new Set(pairs.map(([epoch, self, name]) => `${epoch} ${self} ${name}`));
      for (const [epoch, self, name] of pairs) expect(there).toContain(`${epoch} ${name} ${self}`);
    }),
    options,
  );
});

test('a device shares out the networks of all others, each once, if there is a way to them', () => {
  void fc.assert(
    fc.property(plans, stage, (given, at) => {
      const nodes = withAllKeys(given);
      const isReached = (self: Plan, other: Plan) =>
        !self.isHidden || !other.isHidden || nodes.some((node) => !node.isHidden);
      const files = filesOf(nodes, at);
      for (const self of nodes) {
        const others = nodes.filter((other) => other !== self && isReached(self, other));
        const laptopIsReached = !self.isHidden || nodes.some((node) => !node.isHidden);
        const all = [
          ...others.flatMap(({ index }) => cidrsOf(index)),
          ...(laptopIsReached ? laptop.allowedIPs : []),
        ];
        for (const { peers } of files.get(nameOf(self.index))!.epochs) {
          expect(peers.flatMap(({ allowedIPs }) => allowedIPs).sort()).toEqual(all.sort());
        }
      }
    }),
    options,
  );
});

test('what two nodes behind NAT send each other goes through one node, and it knows both', () => {
  void fc.assert(
    fc.property(plans, (given) => {
      const nodes = withAllKeys(given);
      const hidden = nodes.filter(({ isHidden }) => isHidden);
      fc.pre(hidden.length > 1 && hidden.length < nodes.length);
      const files = filesOf(nodes, undefined);
      const relayOf = (self: Plan, other: Plan) =>
        files
          .get(nameOf(self.index))!
          .epochs[0]!.peers.find(({ allowedIPs }) => allowedIPs.includes(cidrsOf(other.index)[0]!))!;
      for (const a of hidden) {
        for (const b of hidden.filter((one) => one !== a)) {
          expect(relayOf(a, b).name).toBe(relayOf(b, a).name);
          expect(relayOf(a, b).endpoint).not.toBeNull();
          const known = files.get(relayOf(a, b).name)!.epochs[0]!.peers.map(({ name }) => name);
          expect(known).toEqual(expect.arrayContaining([nameOf(a.index), nameOf(b.index)]));
        }
      }
    }),
    options,
  );
});

test('a node that joins takes no relay away but from those that it relays for', () => {
  void fc.assert(
    fc.property(plans, plan, (given, joining) => {
      const before = withAllKeys(given);
      fc.pre(before.every(({ index }) => index !== joining.index));
      const newcomer = { ...joining, epochs: [1, 2] };
      const [was, is] = [filesOf(before, undefined), filesOf([...before, newcomer], undefined)];
      const name = nameOf(joining.index);
      for (const [self, { epochs }] of was) {
        const now = is.get(self)!.epochs[0]!.peers;
        const taken = now.find((peer) => peer.name === name)?.allowedIPs ?? [];
        for (const peer of epochs[0]!.peers) {
          const same = now.find((one) => one.name === peer.name)!;
          // What a peer loses, the newcomer has; what it gains is the newcomer's own.
          const lost = peer.allowedIPs.filter((network) => !same.allowedIPs.includes(network));
          const gained = same.allowedIPs.filter((network) => !peer.allowedIPs.includes(network));
          expect(taken).toEqual(expect.arrayContaining(lost));
          expect(cidrsOf(joining.index)).toEqual(expect.arrayContaining(gained));
          expect({ ...same, allowedIPs: [] }).toEqual({ ...peer, allowedIPs: [] });
        }
      }
    }),
    options,
  );
});

test('relays share the pairs among themselves', () => {
  const nodes = Array.from({ length: 40 }, (_, at) => ({ index: at + 1, isHidden: at >= 4, epochs: [1] }));
  const [file] = [...filesOf(nodes, undefined)].filter(([name]) => name === nameOf(20)).map(([, one]) => one);
  const relayed = file!.epochs[0]!.peers.map(({ allowedIPs }) => (allowedIPs.length - 2) / 2);
  expect(relayed).toHaveLength(4);
  expect(Math.min(...relayed)).toBeGreaterThan(2);
  expect(Math.max(...relayed)).toBeLessThan(18);
});
