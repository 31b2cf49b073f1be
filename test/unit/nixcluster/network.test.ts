import { claimsOf, claimsOfPeers } from '../../../controllers/nixcluster/members.ts';
import {
  checkOverlaps,
  highestIndex,
  placeOf,
  servicesOf,
  takenIndexes,
} from '../../../controllers/nixcluster/network.ts';
import { clusterOf, meshOf } from '../../support/cluster-objects.ts';

const dual = clusterOf().spec.network;
const six = clusterOf({
  pods: [{ cidr: '2001:db8:88::/48', nodePrefix: 64 }],
  services: ['2001:db8:88:ffff::/112'],
}).spec.network;

test('a node of a number gets the subnet of that number in each family, and the first address in it', () => {
  expect(placeOf(dual, 1)).toEqual({
    podCIDRs: ['fd88:1::/32', '10.88.1.0/24'],
    addresses: ['fd88:1::1', '10.88.1.1'],
  });
  expect(placeOf(dual, 10).podCIDRs).toEqual(['fd88:a::/32', '10.88.10.0/24']);
  expect(placeOf(six, 16)).toEqual({ podCIDRs: ['2001:db8:88:10::/64'], addresses: ['2001:db8:88:10::1'] });
});

test('the smaller family says how many nodes there can be', () => {
  const four = (cidr: string, nodePrefix: number) =>
    clusterOf({ pods: [{ cidr, nodePrefix }], services: ['172.30.0.0/24'] }).spec.network;
  expect(highestIndex(dual)).toBe(255);
  expect(highestIndex(six)).toBe(65_535);
  expect(highestIndex(four('10.0.0.0/8', 28))).toBe(65_535);
  expect(highestIndex(four('10.0.0.0/23', 24))).toBe(1);
});

const peers = (...allowedIPs: string[]) =>
  claimsOfPeers(
    meshOf([{ name: 'laptop', publicKey: 'pHEYIfgWiJEgnR8zKYGnWlbZbQZ0xb5eEyzVSpzz3BM=', allowedIPs }]),
  );
const host = (address: string) => claimsOf([{ name: 'node3', underlay: [address] }]);

test('numbers are skipped whose subnet somebody else has addresses of', () => {
  const taken = takenIndexes(dual, [
    ...servicesOf(dual),
    ...peers('10.88.6.0/23', 'fd88:9::/48', 'fd89::10/128'),
    ...host('10.88.3.4'),
  ]);
  expect(taken.map(({ first, last }) => [first, last])).toEqual([
    [0, 0],
    [3, 3],
    [6, 7],
    [9, 9],
  ]);
  expect(taken[1]!.whose).toBe('address 10.88.3.4 of NixNode node3');
  expect(takenIndexes(six, servicesOf(six))).toEqual([
    { first: 65_535, last: 65_535, whose: 'services 2001:db8:88:ffff::/112' },
  ]);
});

test('what nobody could be numbered by is no number that is taken', () => {
  // Number 4096 of the first family, of which the second has none.
  expect(takenIndexes(dual, peers('fd88:1000::/32'))).toEqual([]);
});

const nodes = [{ name: 'node1', index: 1 }];

test.each([
  [host('10.88.0.7'), /^address 10\.88\.0\.7 of NixNode node3 is within services 10\.88\.0\.0\/24\. Give it/],
  [peers('10.88.0.0/25'), /10\.88\.0\.0\/25 of the external peer laptop is within services/],
  [peers('0.0.0.0/0'), /is within services/],
])('refuses addresses of services', (claims, message) => {
  expect(() => checkOverlaps(dual, claims, [])).toThrow(
    expect.objectContaining({
      verdict: 'terminal',
      reason: 'OverlapsServices',
      message: expect.stringMatching(message),
    }),
  );
});

test.each([
  [
    host('10.88.1.9'),
    /^address 10\.88\.1\.9 of NixNode node3 is within the subnets of NixNode node1 \(number 1\)\. Give/,
  ],
  [peers('fd88:1:2::/48'), /within the subnets of NixNode node1/],
  [peers('fd88::/15'), /covers all of pods fd88::\/16/],
])('refuses addresses of pods', (claims, message) => {
  expect(() => checkOverlaps(dual, claims, nodes)).toThrow(
    expect.objectContaining({
      verdict: 'terminal',
      reason: 'OverlapsPods',
      message: expect.stringMatching(message),
    }),
  );
});

test('lets pass what is beside', () => {
  const claims = [...host('10.88.2.9'), ...host('192.0.2.1'), ...peers('fd89::10/128', '10.88.7.0/24')];
  expect(() => checkOverlaps(dual, claims, nodes)).not.toThrow();
});
