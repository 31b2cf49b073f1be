/** Addresses, networks, host names and ports, as Kubernetes' CEL library reads them. */
import { addressOrNull, networkOrNull } from '../controllers/lib/core/network.ts';
import { integer } from './common.ts';
import { matches, text, withRules } from './rules.ts';

/** CEL's `isIP`: no zones, no leading zeros in IPv4, and no IPv4 address dressed as IPv6. */
export function isAddress(written: string): boolean {
  const address = addressOrNull(written);
  return address !== null && !(address.family === 6 && address.value >> 32n === 0xffffn);
}

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
  return isAddress(written.split('/')[0]!) && networkOrNull(written) !== null;
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
