/** Arithmetic of IP networks (RFC 4632, RFC 4291). Addresses are numbers here; text is parsed once, at the edge. */
import ipaddr from 'ipaddr.js';

export type Family = 4 | 6;
/** `value` is below 2 to the power of 32 or 128. */
export type Address = { readonly family: Family; readonly value: bigint };
/** `base` has no bits beyond `prefix`. */
export type Network = { readonly family: Family; readonly base: bigint; readonly prefix: number };

const bitsOf = (family: Family): number => (family === 4 ? 32 : 128);

const byte = '(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])';
const fourBytes = new RegExp(`^${byte}[.]${byte}[.]${byte}[.]${byte}$`);

/** Without zones, and without leading zeros in IPv4: what Kubernetes takes for an address, and nothing else. */
export function addressOrNull(written: string): Address | null {
  const four = fourBytes.exec(written);
  if (four !== null) return { family: 4, value: number(four.slice(1).map(Number)) };
  // ipaddr.js takes ::192.0.2.1 for ::ffff:192.0.2.1, so it gets the last four bytes in hex.
  const tail = written.slice(written.lastIndexOf(':') + 1);
  const last = fourBytes.exec(tail)?.slice(1).map(Number);
  const hex = last === undefined ? tail : `${hextet(last[0]!, last[1]!)}:${hextet(last[2]!, last[3]!)}`;
  const plain = written.slice(0, written.length - tail.length) + hex;
  if (!/^[0-9a-fA-F:]+$/.test(plain) || !ipaddr.IPv6.isValid(plain)) return null;
  return { family: 6, value: number(ipaddr.IPv6.parse(plain).toByteArray()) };
}

const number = (bytes: number[]): bigint => bytes.reduce((sum, one) => sum * 256n + BigInt(one), 0n);
const hextet = (high: number, low: number): string => (high * 256 + low).toString(16);

/** Throws an `Error` on what is no address. */
export function parseAddress(written: string): Address {
  const address = addressOrNull(written);
  if (address === null) throw new Error(`not an address: ${written}`);
  return address;
}

/** Null also where there are bits beyond the prefix: there is one way to write a network. */
export function networkOrNull(written: string): Network | null {
  const [base = '', length = '', ...rest] = written.split('/');
  const address = addressOrNull(base);
  if (address === null || rest.length > 0 || !/^(0|[1-9][0-9]{0,2})$/.test(length)) return null;
  const { family, value } = address;
  const prefix = Number(length);
  if (prefix > bitsOf(family) || value % sizeOf({ family, prefix }) !== 0n) return null;
  return { family, base: value, prefix };
}

/** Throws an `Error` on what is no network. */
export function parseNetwork(written: string): Network {
  const network = networkOrNull(written);
  if (network === null) throw new Error(`not a network: ${written}`);
  return network;
}

/** As RFC 5952 writes it. */
export function printAddress({ family, value }: Address): string {
  const bytes = Array.from({ length: bitsOf(family) / 8 }, (_, at) =>
    Number((value >> BigInt(bitsOf(family) - 8 * (at + 1))) & 0xffn),
  );
  const parsed = ipaddr.fromByteArray(bytes);
  return parsed instanceof ipaddr.IPv6 ? parsed.toRFC5952String() : parsed.toString();
}

export const printNetwork = (network: Network): string =>
  `${printAddress({ family: network.family, value: network.base })}/${network.prefix}`;

/** How many addresses there are in it. */
export const sizeOf = ({ family, prefix }: Pick<Network, 'family' | 'prefix'>): bigint =>
  1n << BigInt(bitsOf(family) - prefix);

/** The network of one address alone. */
export const hostNetwork = ({ family, value }: Address): Network => ({
  family,
  base: value,
  prefix: bitsOf(family),
});

/** The `at`-th address; the zeroth is the network's own. Throws a `RangeError` beyond its end. */
export function addressIn(network: Network, at: number): Address {
  if (at < 0 || BigInt(at) >= sizeOf(network)) {
    throw new RangeError(`${printNetwork(network)} has no address number ${at}`);
  }
  return { family: network.family, value: network.base + BigInt(at) };
}

/** How many subnets of a prefix length fit; none if it is shorter than the network's own. */
export const subnetsOf = (network: Network, prefix: number): bigint =>
  prefix < network.prefix || prefix > bitsOf(network.family) ? 0n : 1n << BigInt(prefix - network.prefix);

/** The `at`-th subnet, counted from zero. Throws a `RangeError` beyond the last. */
export function subnetOf(network: Network, prefix: number, at: number): Network {
  if (at < 0 || BigInt(at) >= subnetsOf(network, prefix)) {
    throw new RangeError(`${printNetwork(network)} has no subnet number ${at} of length ${prefix}`);
  }
  const { family, base } = network;
  return { family, base: base + BigInt(at) * sizeOf({ family, prefix }), prefix };
}

const lastOf = (network: Network): bigint => network.base + sizeOf(network) - 1n;

export const overlaps = (a: Network, b: Network): boolean =>
  a.family === b.family && a.base <= lastOf(b) && b.base <= lastOf(a);

/** Whether all of `inner` is in `outer`; a network contains itself. */
export const contains = (outer: Network, inner: Network): boolean =>
  outer.prefix <= inner.prefix && overlaps(outer, inner);

/** First and last number of the subnets that share an address with `other`; null where none does. */
export function subnetsWithin(
  network: Network,
  prefix: number,
  other: Network,
): { first: bigint; last: bigint } | null {
  if (!overlaps(network, other) || subnetsOf(network, prefix) === 0n) return null;
  const step = sizeOf({ family: network.family, prefix });
  const numberOf = (value: bigint) => (value - network.base) / step;
  const first = other.base <= network.base ? 0n : numberOf(other.base);
  const last = lastOf(other) >= lastOf(network) ? subnetsOf(network, prefix) - 1n : numberOf(lastOf(other));
  return { first, last };
}
