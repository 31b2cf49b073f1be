/** The mesh's module and the ways between hosts: relays, sizes of packets, and what starts anew around it. */
import { deliver, deployMember, type Member, type MeshShape, peersFile } from '../support/members.ts';
import {
  allReach,
  firstEpoch,
  type MeshOfThree,
  startMeshOfThree,
  stateOf,
} from '../support/mesh-of-three.ts';
import { lostDuring } from '../support/ping.ts';
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

test('two that nobody can dial reach each other through a third', async () => {
  const shape: MeshShape = {
    ...firstEpoch,
    endpoint: (_, to, port) => (to === first ? `${first.host.address}:${port}` : null),
  };
  const relayed = (self: Member, other: Member) => {
    const file = JSON.parse(peersFile(self, [first, self], three.keys, shape)) as {
      epochs: { peers: { allowedIPs: string[] }[] }[];
    };
    file.epochs[0]!.peers[0]!.allowedIPs.push(...other.podCIDRs);
    return JSON.stringify(file);
  };
  await three.give(first, shape);
  await deliver(second, { 'peers.json': relayed(second, third) });
  await deliver(third, { 'peers.json': relayed(third, second) });
  await allReach(three.members);
  const { stdout } = await second.host.run('wg show wgkube peers; ping -n -c 1 -t 1 -W 1 10.88.3.1 || true');
  expect(stdout.trim().split('\n')[0]).toBe(three.keys.node1![1]);
  expect(stdout).toContain('From 10.88.1.1');
  await three.giveAll(firstEpoch);
  await allReach(three.members);
});

test('the size of packets is what the narrowest way lets through', async () => {
  // A way that swallows what is too large, without a word.
  await third.host.run('ip link set host0 mtu 1400');
  await first.host.run(
    `timeout 60 sh -c 'while systemctl --quiet is-active firn-mesh-watch; do sleep 0.1; done'
    rm -f /run/firn/mesh/probed; systemctl start firn-mesh-watch`,
  );
  const found = await waitFor('the way to be probed', async () => {
    const line = (await stateOf(first)).find((text) => text.startsWith('mtu ') && !text.includes('1420'));
    return line === undefined ? undefined : /^mtu (\d+) probed$/.exec(line)?.[1];
  });
  expect(Number(found)).toBeGreaterThanOrEqual(1312);
  // A veth lets four more through, for a VLAN's tag.
  expect(Number(found)).toBeLessThanOrEqual(1324);
  const { stdout } = await first.host.run(
    `cat /sys/class/net/wgkube/mtu; ping -n -c 1 -W 2 -M do -s ${Number(found) - 28} 10.88.3.1`,
  );
  expect(stdout.split('\n')[0]).toBe(found);
  await third.host.run('systemctl reload firn-mesh');
  expect((await stateOf(third))[1]).toMatch(/^mtu 1320 (derived|probed)$/);
  await three.give(third, { ...firstEpoch, mtu: 1380 });
  expect(await stateOf(third)).toContain('mtu 1380 given');
  await third.host.run('ip link set host0 mtu 1500');
});

test('networkd, the firewall and its sets start anew without a packet lost', async () => {
  await allReach(three.members);
  const lost = await lostDuring(three.flows(), async () => {
    for (const { host } of three.members)
      await host.run(
        `systemctl restart systemd-networkd; networkctl reload; systemctl reload nftables firn-firewall firn-mesh; systemctl restart systemd-resolved`,
      );
  });
  expect(lost).toEqual([]);
  const { stdout } = await first.host.run(
    'ip route show proto 102; ip -6 route show proto 102; nft list tables',
  );
  expect(stdout).toContain('10.88.0.0/16 dev wgkube');
  expect(stdout).toContain('fd88::/16 dev wgkube');
  expect(stdout).toContain('table inet firn');
});

test('without its module nothing of the mesh stays but the keys', async () => {
  await deployMember(third, 'firn.mesh.enable = false; firn.network.routing = "External";');
  const { stdout } = await third.host.run(
    'ls /sys/class/net /var/lib/firn/wireguard; ip route show proto 102',
  );
  expect(stdout).not.toContain('wgkube');
  expect(stdout).toContain('1.key');
});
