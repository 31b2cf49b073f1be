import fc from 'fast-check';
import {
  type Address,
  contains,
  type Family,
  hostNetwork,
  type Network,
  overlaps,
  parseAddress,
  parseNetwork,
  printAddress,
  printNetwork,
  sizeOf,
  subnetOf,
  subnetsOf,
  subnetsWithin,
} from '../../controllers/lib/core/network.ts';

const bits = (family: Family) => (family === 4 ? 32 : 128);
const address: fc.Arbitrary<Address> = fc
  .constantFrom<Family>(4, 6)
  .chain((family) =>
    fc.bigInt({ min: 0n, max: (1n << BigInt(bits(family))) - 1n }).map((value) => ({ family, value })),
  );

const network: fc.Arbitrary<Network> = address.chain(({ family, value }) =>
  fc.integer({ min: 0, max: bits(family) }).map((prefix) => {
    const size = sizeOf({ family, prefix });
    return { family, base: (value / size) * size, prefix };
  }),
);

/** A network, a length that it can be cut into, and a number that such a subnet has. */
const cut = network.chain((whole) =>
  fc
    .integer({ min: whole.prefix, max: Math.min(whole.prefix + 40, bits(whole.family)) })
    .chain((prefix) =>
      fc.nat({ max: Number(subnetsOf(whole, prefix) - 1n) }).map((at) => ({ whole, prefix, at })),
    ),
);

/** Around an address of a network: larger than it, of its size, or within it. */
const near = (whole: Network) =>
  fc
    .tuple(fc.nat(), fc.integer({ min: Math.max(0, whole.prefix - 3), max: bits(whole.family) }))
    .map(([seed, prefix]) => {
      const { family } = whole;
      const size = sizeOf({ family, prefix });
      const value = whole.base + (BigInt(seed) % sizeOf(whole));
      return { family, base: (value / size) * size, prefix };
    });

test('what is printed is read as the same', () => {
  fc.assert(fc.property(address, (one) => expect(parseAddress(printAddress(one))).toEqual(one)));
  fc.assert(fc.property(network, (one) => expect(parseNetwork(printNetwork(one))).toEqual(one)));
});

test('a subnet lies within its network, and its number is found again', () => {
  fc.assert(
    fc.property(cut, ({ whole, prefix, at }) => {
      const subnet = subnetOf(whole, prefix, at);
      expect(contains(whole, subnet)).toBe(true);
      expect(subnetsWithin(whole, prefix, subnet)).toEqual({ first: BigInt(at), last: BigInt(at) });
    }),
  );
});

test('two subnets overlap if and only if they are the same', () => {
  fc.assert(
    fc.property(cut, fc.nat(), ({ whole, prefix, at }, seed) => {
      const other = Number(BigInt(seed) % subnetsOf(whole, prefix));
      expect(overlaps(subnetOf(whole, prefix, at), subnetOf(whole, prefix, other))).toBe(at === other);
    }),
  );
});

const cutAndOther = cut.chain((one) => fc.tuple(fc.constant(one), fc.oneof(network, near(one.whole))));

test('an address lies in those subnets alone that are said to hold it', () => {
  fc.assert(
    fc.property(cutAndOther, ([{ whole, prefix, at }, other]) => {
      const touched = subnetsWithin(whole, prefix, other);
      const isTouched = touched !== null && touched.first <= BigInt(at) && BigInt(at) <= touched.last;
      expect(overlaps(subnetOf(whole, prefix, at), other)).toBe(isTouched);
    }),
  );
});

test('networks either hold one another or share nothing', () => {
  fc.assert(
    fc.property(network, network, (a, b) => {
      expect(overlaps(a, b)).toBe(contains(a, b) || contains(b, a));
    }),
  );
});

test('a single address overlaps what contains it', () => {
  fc.assert(
    fc.property(network, fc.nat(), (whole, seed) => {
      const value = whole.base + (BigInt(seed) % sizeOf(whole));
      expect(contains(whole, hostNetwork({ family: whole.family, value }))).toBe(true);
    }),
  );
});
