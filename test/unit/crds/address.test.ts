import { hostOrAddress, isAddress, network } from '../../../crds/address.ts';

test.each([
  '0.0.0.0',
  '192.0.2.1',
  '::',
  '::1',
  '2001:db8::1',
  '2001:DB8::1',
  '::192.0.2.1',
  '1:2:3:4:5:6:7:8',
])('%s is an address', (written) => expect(isAddress(written)).toBe(true));

test.each([
  '',
  '192.0.2',
  '192.0.2.256',
  '192.0.02.1',
  '0x7f.0.0.1',
  '2130706433',
  '192.0.2.1/24',
  '192.0.2.1 ',
  '::ffff:192.0.2.1',
  '::ffff:c000:201',
  'fe80::1%eth0',
  '1::2::3',
  '[::1]',
  '12345::',
  'example.com',
])('%j is no address', (written) => expect(isAddress(written)).toBe(false));

test.each(['10.0.0.0/16', '0.0.0.0/0', '192.0.2.1/32', 'fd00:1::/48', '::/0', '2001:db8::1/128', 'fe00::/7'])(
  '%s is a network',
  (written) => expect(network().safeParse(written).success).toBe(true),
);

test.each([
  '10.0.0.1/16',
  '10.0.0.0',
  '10.0.0.0/33',
  '10.0.0.0/016',
  '10.0.0.0/-1',
  '/8',
  'fd00:1::1/64',
  'ff00::/7',
  '::/129',
  '10.0.0.0/8/8',
])('%j is no network', (written) => expect(network().safeParse(written).success).toBe(false));

test.each([
  'alpha',
  'alpha.example.com',
  '3com.example',
  'xn--bcher-kva.example',
  'A',
  '192.0.2.1',
  '2001:db8::1',
  `${'a'.repeat(63)}.b`,
])('%s can be connected to', (written) => expect(hostOrAddress().safeParse(written).success).toBe(true));

test.each([
  '',
  '-oProxyCommand=x',
  'a b',
  'a_b',
  'a.',
  '.a',
  'a..b',
  '256.1.1.1',
  '1.2.3',
  'a.1',
  `${'a'.repeat(64)}.b`,
  'user@host',
  'a;b',
  '$(a)',
])('%j cannot be connected to', (written) => expect(hostOrAddress().safeParse(written).success).toBe(false));
