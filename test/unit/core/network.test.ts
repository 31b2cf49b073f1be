import {
  addressIn,
  addressOrNull,
  contains,
  hostNetwork,
  networkOrNull,
  overlaps,
  parseAddress,
  parseNetwork,
  printAddress,
  printNetwork,
  sizeOf,
  subnetOf,
  subnetsOf,
  subnetsWithin,
} from '../../../controllers/lib/core/network.ts';

const subnet = (written: string, prefix: number, at: number) =>
  printNetwork(subnetOf(parseNetwork(written), prefix, at));

test('the N-th subnet is counted in numbers, not in digits', () => {
  expect(subnet('fd88::/16', 32, 1)).toBe('fd88:1::/32');
  expect(subnet('fd88::/16', 32, 10)).toBe('fd88:a::/32');
  expect(subnet('fd88::/16', 32, 65_535)).toBe('fd88:ffff::/32');
  expect(subnet('10.88.0.0/16', 24, 0)).toBe('10.88.0.0/24');
  expect(subnet('10.88.0.0/16', 24, 255)).toBe('10.88.255.0/24');
  expect(subnet('10.0.0.0/8', 23, 129)).toBe('10.1.2.0/23');
  expect(subnet('2001:db8:88::/48', 64, 4096)).toBe('2001:db8:88:1000::/64');
  expect(subnet('0.0.0.0/0', 1, 1)).toBe('128.0.0.0/1');
});

test('there is no subnet beyond the last, nor one that is larger than the network', () => {
  expect(() => subnet('10.88.0.0/16', 24, 256)).toThrow(RangeError);
  expect(() => subnet('10.88.0.0/16', 24, -1)).toThrow(RangeError);
  expect(() => subnet('10.88.0.0/16', 15, 0)).toThrow(RangeError);
  expect(subnetsOf(parseNetwork('10.88.0.0/16'), 33)).toBe(0n);
  expect(subnetsOf(parseNetwork('fd88::/16'), 128)).toBe(1n << 112n);
});

test('addresses in a network', () => {
  const at = (written: string, index: number) => printAddress(addressIn(parseNetwork(written), index));
  expect(at('fd88:a::/32', 1)).toBe('fd88:a::1');
  expect(at('10.88.10.0/24', 1)).toBe('10.88.10.1');
  expect(at('192.0.2.255/32', 0)).toBe('192.0.2.255');
  expect(() => at('192.0.2.255/32', 1)).toThrow(RangeError);
});

test.each([
  ['10.88.0.0/24', '10.88.0.0/16', true],
  ['10.88.0.0/16', '10.88.0.0/24', false],
  ['10.88.0.0/16', '10.88.0.0/16', true],
  ['0.0.0.0/1', '::/0', false],
  ['fd88:1::/32', 'fd88::/16', true],
  ['fd89::/32', 'fd88::/16', false],
])('whether %s lies in %s', (inner, outer, expected) => {
  expect(contains(parseNetwork(outer), parseNetwork(inner))).toBe(expected);
});

test('networks overlap when one holds the other, in either order', () => {
  const [a, b, c] = ['10.0.0.0/8', '10.88.0.0/16', '11.0.0.0/8'].map(parseNetwork);
  expect([overlaps(a!, b!), overlaps(b!, a!), overlaps(a!, c!), overlaps(c!, a!)]).toEqual([
    true,
    true,
    false,
    false,
  ]);
});

test('which subnets another network touches', () => {
  const pods = parseNetwork('10.88.0.0/16');
  const within = (other: string) => subnetsWithin(pods, 24, parseNetwork(other));
  expect(within('10.88.0.0/24')).toEqual({ first: 0n, last: 0n });
  expect(within('10.88.7.128/25')).toEqual({ first: 7n, last: 7n });
  expect(within('10.88.8.0/22')).toEqual({ first: 8n, last: 11n });
  expect(within('10.0.0.0/8')).toEqual({ first: 0n, last: 255n });
  expect(within('10.89.0.0/16')).toBeNull();
  expect(within('fd88::/16')).toBeNull();
  expect(subnetsWithin(pods, 24, hostNetwork(parseAddress('10.88.255.255')))).toEqual({
    first: 255n,
    last: 255n,
  });
});

test.each([
  ['10.0.0.1/8'],
  ['10.0.0.0/33'],
  ['10.0.0.0/08'],
  ['10.0.0.0'],
  ['10.0.0.0/8/8'],
  ['fd88::1/16'],
  ['fe80::%eth0/64'],
  ['/8'],
  [''],
])('%s is no network', (written) => {
  expect(networkOrNull(written)).toBeNull();
  expect(() => parseNetwork(written)).toThrow('not a network');
});

test('an address is read as it stands, also with its last bytes in decimal', () => {
  expect(printAddress(parseAddress('2001:DB8:0:0::0001'))).toBe('2001:db8::1');
  expect(parseAddress('::192.0.2.1').value).toBe(0xc0000201n);
  expect(parseAddress('::ffff:192.0.2.1').value).toBe(0xffffc0000201n);
  for (const wrong of ['010.0.0.1', '1.2.3', '256.0.0.1', 'fe80::1%lo', '::g', '1::2::3', '']) {
    expect(addressOrNull(wrong)).toBeNull();
  }
});

test('the size of a network', () => {
  expect(sizeOf(parseNetwork('10.88.0.0/24'))).toBe(256n);
  expect(sizeOf(parseNetwork('::/0'))).toBe(1n << 128n);
});
