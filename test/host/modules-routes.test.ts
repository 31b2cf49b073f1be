/** Nodes on one link without a mesh: routes from a file, names, and a link that went and came. */
import { startHosts, type TestHosts } from '../support/hosts/start.ts';
import {
  deliver,
  deployMember,
  hostsFile,
  type Member,
  memberOf,
  nodeAddresses,
} from '../support/members.ts';
import { lostDuring } from '../support/ping.ts';
import { answerAt, answersTo, plugPod } from '../support/scan.ts';
import { waitFor } from '../support/wait.ts';

let started: TestHosts;
let members: [Member, Member];

const direct = 'firn.mesh.enable = false; firn.network.routing = "Direct";';
const routesTo = ({ host, podCIDRs: [six, four] }: Member): string =>
  `${four} via ${host.address}\n${six} via ${host.address6}\n`;

beforeAll(async () => {
  started = await startHosts({ count: 2, flavour: 'nixos', names: ['node1', 'node2'] });
  members = started.hosts.map(memberOf) as [Member, Member];
  const [first, second] = members;
  for (const member of members) {
    const routes = routesTo(member === first ? second : first);
    await deliver(member, {
      hosts: hostsFile(members),
      'node-addresses': nodeAddresses(member, members),
      routes,
    });
    await deployMember(member, direct);
  }
}, 300_000);
afterAll(async () => {
  await started?.stop();
});

test('nodes and pods reach each other, each by its own address', async () => {
  const [first, second] = members;
  const places = [];
  for (const { host, index } of members)
    places.push(await plugPod(host, 'pod', [`fd88:${index}::2/32`, `10.88.${index}.2/24`]));
  await answerAt(places[1]!, ['fd88:2::2', '10.88.2.2'], [8080]);
  const targets = ['fd88:2::2', '10.88.2.2'].map((address) => ({
    protocol: 'tcp' as const,
    address,
    port: 8080,
  }));
  const seen = async (from: Parameters<typeof answersTo>[0]) =>
    (await answersTo(from, targets)).map(({ seenAs }) => seenAs).sort();
  expect(await seen(places[0]!)).toEqual(['10.88.1.2', 'fd88:1::2']);
  expect(await seen(first)).toEqual(['10.88.1.1', 'fd88:1::1']);
  expect((await first.host.run('getent ahosts node2')).stdout).toContain('fd88:2::1');
  expect(
    await lostDuring([{ from: first.host, to: second.addresses[0]! }], async () => {
      for (const { host } of members)
        await host.run('systemctl restart systemd-networkd; systemctl reload firn-routes nftables');
    }),
  ).toEqual([]);
});

test('routes come back with their link, and go with their line', async () => {
  const [first, second] = members;
  const shown = async () =>
    (await first.host.run('ip route show proto 103; ip -6 route show proto 103')).stdout;
  await first.host.run('ip link set host0 down; ip link set host0 up');
  await waitFor('the routes', async () => /10\.88\.2\.0\/24 via[\s\S]*fd88:2::\/32 via/.test(await shown()), {
    withinMs: 60_000,
  });
  await deliver(first, {
    routes: `10.88.2.0/24 via ${second.host.address}\nfd88:2::/32 dev lo via x\n10.0.0.0/8 via $(reboot)\n`,
  });
  expect(await shown()).toMatch(/^10\.88\.2\.0\/24 via \S+ dev host0 src 10\.88\.1\.1 metric 50 *\n$/);
  await deployMember(
    first,
    `${direct} firn.network.routing = lib.mkForce "External";`.replace(
      'firn.network.routing = "Direct"; ',
      '',
    ),
  );
  expect(await shown()).toBe('');
});
