/** The mesh's module where something is in its way: what goes on, what is said, and what heals by itself. */
import { deliver, type Member } from '../support/members.ts';
import {
  allReach,
  firstEpoch,
  type MeshOfThree,
  problemsOf,
  reaches,
  startMeshOfThree,
} from '../support/mesh-of-three.ts';
import { keepSecret } from '../support/secrets/registry.ts';
import { waitFor } from '../support/wait.ts';

let three: MeshOfThree;
let first: Member;
let second: Member;
let third: Member;
beforeAll(async () => {
  three = await startMeshOfThree();
  [first, second, third] = three.members;
}, 300_000);
afterAll(async () => {
  await three?.stop();
});

test('a port that somebody else has is named, and taken as soon as it is free', async () => {
  await allReach(three.members);
  await second.host.run(
    `systemctl stop firn-mesh
    systemd-run --quiet --unit=greedy perl -MIO::Socket::INET -e 'my $s = IO::Socket::INET->new(Proto => "udp", LocalPort => 51820) or die; sleep 300'
    timeout 10 sh -c 'until ss -Hlun | grep -q :51820; do sleep 0.1; done'
    systemctl start firn-mesh`,
  );
  expect(await problemsOf(second)).toEqual([
    expect.stringMatching(
      /^problem the UDP port 51820 of wgkube cannot be listened on: .*, "perl",pid=\d+ has it$/,
    ),
  ]);
  expect(await reaches(second, first)).toBe(false);
  await second.host.run('systemctl stop greedy; systemctl restart firn-mesh-watch');
  await allReach(three.members);
  expect(await problemsOf(second)).toEqual([]);
});

test('a device whose process died comes back with all of its peers', async () => {
  await second.host.run('systemctl kill --signal=KILL firn-wireguard@wgkube');
  await waitFor('the first to be reached', () => reaches(second, first));
  expect((await second.host.run('systemctl --failed --no-legend')).stdout).toBe('');
});

test.each([
  ['no JSON', '{ "interface": '],
  [
    'another device',
    JSON.stringify({
      addresses: [],
      networks: [],
      mtu: null,
      epochs: [{ epoch: 1, device: 'host0', listenPort: 1, active: true, peers: [] }],
    }),
  ],
  [
    'a network with words',
    JSON.stringify({ addresses: [], networks: ['10.0.0.0/8 dev lo'], mtu: null, epochs: [] }),
  ],
  [
    'an address with a newline',
    JSON.stringify({ addresses: ['10.0.0.1\n1'], networks: [], mtu: null, epochs: [] }),
  ],
])('peers that are not what they should be change nothing: %s', async (_, text) => {
  const before = (await first.host.run('wg show wgkube allowed-ips | sort; ip route; ip addr show host0'))
    .stdout;
  await expect(deliver(first, { 'peers.json': text })).rejects.toThrow('firn-mesh.service');
  const after = (await first.host.run('wg show wgkube allowed-ips | sort; ip route; ip addr show host0'))
    .stdout;
  expect(after).toBe(before);
  expect(await reaches(first, third)).toBe(true);
  await three.give(first, firstEpoch);
});

test('names as endpoints; one without an address is said, and the others work', async () => {
  const named = (from: Member, to: Member, port: number) =>
    to === second
      ? `second.example:${port}`
      : to === third
        ? `nonesuch.example:${port}`
        : `${from.host.address}:1`;
  await three.give(first, { ...firstEpoch, endpoint: named });
  expect(await problemsOf(first)).toEqual(['problem the endpoint nonesuch.example of node3 has no address']);
  expect((await first.host.run('wg show wgkube endpoints')).stdout).toContain(`${second.host.address}:51820`);
  await allReach(three.members);
  await three.give(first, firstEpoch);
  expect(await problemsOf(first)).toEqual([]);
});

test('who asks for preshared keys gets no tunnel without', async () => {
  await three.giveAll({ ...firstEpoch, presharedKeys: true });
  expect(await problemsOf(first)).toEqual([
    'problem there is no preshared key for node2',
    'problem there is no preshared key for node3',
  ]);
  expect(await reaches(first, second)).toBe(false);
  const secret = (await first.host.run('wg genpsk')).stdout.trim();
  keepSecret('the preshared key', Buffer.from(secret));
  for (const { host } of three.members) {
    const lines = three.members.map(({ host: { name } }) => `${three.keys[name]![1]} ${secret}\n`).join('');
    await host.run('umask 077; cat >/etc/firn/mesh-preshared-keys && systemctl reload firn-mesh', {
      input: lines,
    });
  }
  await allReach(three.members);
  expect((await first.host.run('wg show wgkube preshared-keys')).stdout).not.toContain('(none)');
  await three.giveAll(firstEpoch);
  await allReach(three.members);
});
