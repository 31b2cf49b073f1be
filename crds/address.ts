/** Addresses, networks, host names and ports, as Kubernetes' CEL library reads them. */
import ipaddr from 'ipaddr.js';
import { integer } from './common.ts';
import { matches, text, withRules } from './rules.ts';

/** CEL's `isIP`: no zones, no leading zeros in IPv4, and no IPv4 address dressed as IPv6. */
export function isAddress(written: string): boolean {
  const bytes = bytesOf(written);
  return bytes !== null && !(bytes.length === 16 && bytes.slice(0, 12).join() === mappedPrefix);
}

const mappedPrefix = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255].join();
const byte = '(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])';
const fourBytes = new RegExp(`^${byte}[.]${byte}[.]${byte}[.]${byte}$`);

/** Four or sixteen bytes; null for what is not an address. */
function bytesOf(written: string): number[] | null {
  const four = fourBytes.exec(written);
  if (four !== null) return four.slice(1).map(Number);
  // ipaddr.js takes ::192.0.2.1 for ::ffff:192.0.2.1, so it gets the last four bytes in hex.
  const tail = written.slice(written.lastIndexOf(':') + 1);
  const last = fourBytes.exec(tail)?.slice(1).map(Number);
  const hex = last === undefined ? tail : `${hextet(last[0]!, last[1]!)}:${hextet(last[2]!, last[3]!)}`;
  const plain = written.slice(0, written.length - tail.length) + hex;
  if (!/^[0-9a-fA-F:]+$/.test(plain) || !ipaddr.IPv6.isValid(plain)) return null;
  return ipaddr.IPv6.parse(plain).toByteArray();
}

const hextet = (high: number, low: number): string => (high * 256 + low).toString(16);

export const address = () =>
  withRules(text({ min: 2, max: 45 }), [
    { cel: 'isIP(self)', message: 'must be an IPv4 or IPv6 address', test: isAddress },
  ]);

/** A network: the address has no bits beyond the prefix, so that there is one way to write it. */
export const network = () =>
  withRules(text({ min: 4, max: 49 }), [
    {
      cel: 'isCIDR(self) && cidr(self) == cidr(self).masked()',
      message: 'must be a network such as 10.0.0.0/16 or fd00:1::/48, with no bits after the prefix',
      test: isNetwork,
    },
  ]);

function isNetwork(written: string): boolean {
  const [base = '', prefix = '', ...rest] = written.split('/');
  const bytes = isAddress(base) ? bytesOf(base) : null;
  if (bytes === null || rest.length > 0 || !/^(0|[1-9][0-9]{0,2})$/.test(prefix)) return false;
  const bits = Number(prefix);
  if (bits > bytes.length * 8) return false;
  return bytes.every((value, at) => (value & (0xff >> Math.min(8, Math.max(0, bits - 8 * at)))) === 0);
}

const hostLabels =
  /^[A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?([.][A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?)*$/;
const numericEnd = /(^|[.])[0-9]+$/;

/** Where to connect to. A name whose last label is a number would be a mistyped address (WHATWG URL, RFC 3696). */
export const hostOrAddress = () =>
  withRules(text({ min: 1, max: 253 }), [
    {
      cel: `isIP(self) || (self.matches(r'${hostLabels.source}') && !self.matches(r'${numericEnd.source}'))`,
      message: 'must be a host name, an IPv4 or an IPv6 address',
      test: (value) => isAddress(value) || (hostLabels.test(value) && !numericEnd.test(value)),
    },
  ]);

export const port = () => integer(1, 65_535);

const dialled = /^([A-Za-z0-9]([-A-Za-z0-9.]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\]):([1-9][0-9]{0,4})$/;

/** Where to dial: `host:port`, an IPv6 address in brackets (RFC 3986, 3.2.2). */
export const endpoint = () =>
  withRules(text({ min: 3, max: 260 }), [
    matches(
      dialled,
      'must be host:port, such as 192.0.2.1:51820, [2001:db8::1]:51820 or vpn.example.com:51820',
    ),
  ]);
