/** The mesh's module on three hosts; who its peers are comes from files that the test writes. */
import { domain, type MeshShape, mesh } from '../support/members.ts';
import {
  firstEpoch,
  handshakes,
  type MeshOfThree,
  startMeshOfThree,
  stateOf,
} from '../support/mesh-of-three.ts';
import { lostDuring } from '../support/ping.ts';
import { waitFor } from '../support/wait.ts';

let three: MeshOfThree;
beforeAll(async () => {
  three = await startMeshOfThree();
}, 300_000);
afterAll(async () => {
  await three?.stop();
});

/**
 * All have shaken hands with all, and nobody does so again for a while: what two begin at the same instant they try
 * again after five seconds (REKEY_TIMEOUT of WireGuard), and until then either may send what the other cannot read.
 */
const allConnected = (device: string) =>
  waitFor(`handshakes on ${device}`, async () => {
    const before = await timesOn(device);
    await new Promise((resolve) => setTimeout(resolve, 6_000));
    const after = await timesOn(device);
    const peers = three.members.length * (three.members.length - 1);
    return after.length === peers && !after.includes(0) && before.join() === after.join();
  });
const timesOn = async (device: string): Promise<number[]> => {
  const times = await Promise.all(three.members.map((member) => handshakes(member, device)));
  return times.flatMap((ofOne) =>
    Object.keys(ofOne)
      .sort()
      .map((key) => ofOne[key]!),
  );
};

test('every host reaches every other inside the tunnel, by either family, from its own address', async () => {
  await allConnected('wgkube');
  expect(await lostDuring(three.flows(), async () => {})).toEqual([]);
  for (const member of three.members) {
    expect(await stateOf(member)).toEqual([
      'device 1 wgkube 1',
      expect.stringMatching(/^mtu 1420 (derived|probed)$/),
    ]);
    const to = three.members[member.index % 3]!;
    const { stdout } = await member.host.run(
      `ip route get ${to.addresses[1]}; ip -6 route get ${to.addresses[0]}; ip route get 10.88.${to.index}.77`,
    );
    expect(stdout).toContain(`dev wgkube src ${member.addresses[1]}`);
    expect(stdout).toContain(`src ${member.addresses[0]}`);
    expect((await member.host.run('systemctl --failed --no-legend')).stdout).toBe('');
  }
});

test('names of nodes resolve on each, with the domain and without', async () => {
  for (const { host } of three.members)
    for (const { host: named, addresses } of three.members)
      for (const name of [`${named.name}.${domain}`, named.name]) {
        const { stdout } = await host.run(`getent ahosts ${name}; resolvectl query ${name}`);
        for (const address of addresses) expect(stdout).toContain(address);
      }
  const unknown = await three.members[0]!.host.run(`getent ahosts nobody.${domain}`, { allowFailure: true });
  expect(unknown.code).toBe(2);
});

test('a node that leaves and comes again touches nobody else’s session', async () => {
  const [first, , third] = three.members;
  const before = await handshakes(first);
  const others = [
    { from: first.host, to: third.addresses[0]! },
    { from: first.host, to: third.addresses[1]! },
    { from: third.host, to: first.addresses[1]! },
  ];
  const lost = await lostDuring(others, async () => {
    for (const member of [first, third]) await three.give(member, firstEpoch, [first, third]);
    expect(Object.keys(await handshakes(first))).toEqual([three.keys.node3![1]]);
    for (const member of [first, third]) await three.give(member, firstEpoch);
  });
  expect(lost).toEqual([]);
  expect((await handshakes(first))[three.keys.node3![1]!]).toBe(before[three.keys.node3![1]!]);
  await waitFor('the second to be back', async () => (await handshakes(first))[three.keys.node2![1]!]! > 0);
});

test('keys are replaced while 100 packets a second go each way, and none is lost', async () => {
  const both = (active: 1 | 2): MeshShape => ({
    epochs: [1, 2].map((epoch) => ({ epoch, active: epoch === active })),
  });
  const lost = await lostDuring(three.flows(), async () => {
    three.keys = await mesh(three.members, both(1), three.keys);
    await allConnected('wgkube-b');
    // One after the other, as an operator comes by: meanwhile packets go one way and answers the other.
    for (const member of three.members) await three.give(member, both(2));
    for (const member of three.members) await three.give(member, { epochs: [{ epoch: 2, active: true }] });
  });
  expect(lost).toEqual([]);
  for (const member of three.members) {
    expect(await stateOf(member)).toEqual([
      'device 2 wgkube-b 1',
      expect.stringMatching(/^mtu 1420 (derived|probed)$/),
    ]);
    const left = await member.host.run(
      'ls /var/lib/firn/wireguard /sys/class/net; stat -c "%a %n" /var/lib/firn/wireguard/2.key',
    );
    expect(left.stdout).not.toMatch(/^(1\.key|1\.pub|wgkube)$/m);
    expect(left.stdout).toContain('600 /var/lib/firn/wireguard/2.key');
  }
  // And the first device again, with a third key.
  three.keys = await mesh(three.members, {
    epochs: [
      { epoch: 2, active: true },
      { epoch: 3, active: false },
    ],
  });
  await allConnected('wgkube');
  await three.giveAll({ epochs: [{ epoch: 3, active: true }] });
  expect(three.keys.node1![3]).not.toBe(three.keys.node1![2]);
});
