/** Arithmetic of IP networks (RFC 4632, RFC 4291). Addresses are numbers here; text is parsed once, at the edge. */
import ipaddr from 'ipaddr.js';

export type Family = 4 | 6;
/** `value` is below 2 to the power of 32 or 128. */
export type Address = { readonly family: Family; readonly value: bigint };
/** `base` has no bits beyond `prefix`. */
export type Network = { readonly family: Family; readonly base: bigint; readonly prefix: number };

const bitsOf = (family: Family): number => (family === 4 ? 32 : 128);

/** Throws an `Error` on what is no address. */
export function parseAddress(written: string): Address {
  const parsed = ipaddr.parse(written);
  const family = parsed.kind() === 'ipv4' ? 4 : 6;
  return { family, value: parsed.toByteArray().reduce((sum, byte) => sum * 256n + BigInt(byte), 0n) };
}

/** Throws an `Error` on what is no network, and on bits beyond the prefix: there is one way to write a network. */
export function parseNetwork(written: string): Network {
  const [address = '', length = '', ...rest] = written.split('/');
  const { family, value } = parseAddress(address);
  const prefix = /^(0|[1-9][0-9]{0,2})$/.test(length) ? Number(length) : Number.NaN;
  if (rest.length > 0 || !(prefix <= bitsOf(family))) throw new Error(`not a network: ${written}`);
  const network = { family, base: value, prefix };
  if (value % sizeOf(network) !== 0n) throw new Error(`has bits after the prefix: ${written}`);
  return network;
}

/** For what may still be wrong, such as the value of a field beside one that is checked. */
export function networkOrNull(written: string): Network | null {
  try {
    return parseNetwork(written);
  } catch {
    return null;
  }
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
