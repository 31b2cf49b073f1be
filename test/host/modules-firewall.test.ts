/** Who may reach what: every port from every place, compared with the table below. */
import { activate, build } from '../support/generations.ts';
import { startHosts, type TestHost, type TestHosts } from '../support/hosts/start.ts';
import {
  deliver,
  deployMember,
  hostsFile,
  type Member,
  memberOf,
  mesh,
  nodeAddresses,
} from '../support/members.ts';
import { answerAt, answersTo, type Place, plugPod, type Target } from '../support/scan.ts';
import { waitFor } from '../support/wait.ts';

const open = `firn.firewall = {
  fromAnywhere = { tcp = [ 6443 ]; udp = [ 6444 ]; };
  fromNodes = { tcp = [ 2379 10250 ]; udp = [ 8472 ]; };
  fromPods = { tcp = [ 10250 ]; udp = [ 9153 ]; };
};
firn.dns.enable = lib.mkForce false;`;

type From = 'a node' | 'its pod' | 'the target’s own pod' | 'a stranger';
const everyone: From[] = ['a node', 'its pod', 'the target’s own pod', 'a stranger'];
const cluster: From[] = ['a node', 'its pod', 'the target’s own pod'];

/** At any address of a node. What is not here is closed to all. */
const table: { protocol: 'tcp' | 'udp'; port: number; to: From[] }[] = [
  { protocol: 'tcp', port: 22, to: everyone },
  { protocol: 'tcp', port: 6443, to: everyone },
  { protocol: 'udp', port: 6444, to: everyone },
  { protocol: 'tcp', port: 2379, to: ['a node'] },
  { protocol: 'udp', port: 8472, to: ['a node'] },
  { protocol: 'tcp', port: 10250, to: cluster },
  { protocol: 'udp', port: 9153, to: cluster },
];
const ports = [6443, 6444, 2379, 8472, 10250, 9153, 7777];
const podPort = 8080;

let started: TestHosts;
let members: Member[];
let near: Member;
let target: Member;
let stranger: TestHost;
let places: Record<From, Place>;
let targetPod: Place;

const podOf = (member: Member): string[] => [`fd88:${member.index}::2`, `10.88.${member.index}.2`];
const underlay = ({ address, address6 }: { address: string; address6: string }) => [
  address,
  address6.replace(':0::', '::'),
];

beforeAll(async () => {
  started = await startHosts({
    ...{ count: 3, flavour: 'nixos', names: ['node1', 'node2', 'stranger'] },
    secretsIn: ['/var/lib/firn/wireguard/1.key'],
  });
  members = started.hosts.slice(0, 2).map(memberOf);
  [near, target] = members as [Member, Member];
  stranger = started.hosts[2]!;
  for (const member of members) {
    await deliver(member, { hosts: hostsFile(members), 'node-addresses': nodeAddresses(member, members) });
    await deployMember(member, open);
  }
  await mesh(members, { epochs: [{ epoch: 1, active: true }] });
  // It knows the way to pods, which is all that keeps it from them where nothing filters.
  const unfiltered = await build(stranger, 'open', '{ networking.firewall.enable = false; }');
  await activate(stranger, unfiltered, 'test');
  const routes = members.map(
    ({ host, podCIDRs: [six, four] }) =>
      `ip route add ${four} via ${host.address}; ip route add ${six} via ${host.address6}`,
  );
  await stranger.run(`set -e; ${routes.join('; ')}`);
  const pods = [];
  for (const member of members)
    pods.push(
      await plugPod(
        member.host,
        'pod',
        podOf(member).map((a) => `${a}/${a.includes(':') ? 32 : 24}`),
      ),
    );
  targetPod = pods[1]!;
  places = {
    'a node': near,
    'its pod': pods[0]!,
    'the target’s own pod': targetPod,
    'a stranger': { host: stranger },
  };
  await answerAt(target, [...underlay(target.host), ...target.addresses], ports);
  await answerAt(targetPod, podOf(target), [podPort]);
  await answerAt(places['a stranger'], underlay(stranger), [podPort]);
  const first = { protocol: 'tcp', address: target.addresses[1]!, port: 10250 } as const;
  await waitFor('the mesh', async () => (await answersTo(near, [first])).length === 1, { withinMs: 60_000 });
}, 300_000);
afterAll(async () => {
  await started?.stop();
});

const at = (addresses: readonly string[], port: number): Target[] =>
  addresses.flatMap((address) => (['tcp', 'udp'] as const).map((protocol) => ({ protocol, address, port })));
const words = ({ protocol, address, port }: Target): string => `${protocol} ${address} ${port}`;
const answering = async (from: Place, targets: Target[]): Promise<string[]> =>
  (await answersTo(from, targets)).map(words).sort();
const seenAs = async (from: Place, targets: Target[]): Promise<string[]> => {
  const seen = await answersTo(from, targets);
  expect(seen.map(words).sort()).toEqual(targets.map(words).sort());
  return [...new Set(seen.map((answer) => answer.seenAs))].sort();
};

async function expectTable(from: From): Promise<void> {
  const addresses = [...underlay(target.host), ...target.addresses];
  const targets = [...ports, 22].flatMap((port) => at(addresses, port));
  const expected = targets.filter(({ protocol, port }) =>
    table.some((row) => row.protocol === protocol && row.port === port && row.to.includes(from)),
  );
  expect(await answering(places[from], targets)).toEqual(expected.map(words).sort());
}

test.each(everyone)('a node’s ports, from %s', expectTable);

test('pods, from every place', async () => {
  const targets = at(podOf(target), podPort);
  const all = targets.map(words).sort();
  for (const from of cluster) expect([from, await answering(places[from], targets)]).toEqual([from, all]);
  expect(await answering(target, targets)).toEqual(all);
  expect(await answering({ host: stranger }, targets)).toEqual([]);
});

test('addresses: a pod keeps its own within the cluster, and has its node’s outside', async () => {
  const pod = places['its pod'];
  expect(await seenAs(pod, at(podOf(target), podPort))).toEqual(podOf(near).sort());
  expect(await seenAs(pod, [{ protocol: 'tcp', address: target.addresses[0]!, port: 10250 }])).toEqual([
    podOf(near)[0],
  ]);
  expect(await seenAs(pod, at(underlay(stranger), podPort))).toEqual(underlay(near.host).sort());
  expect(await seenAs(near, at(podOf(target), podPort))).toEqual([...near.addresses].sort());
});

test('nobody passes for a pod', async () => {
  const targets = [
    ...at(podOf(target), podPort),
    ...at(target.addresses, 10250),
    ...at(target.addresses, 9153),
  ];
  // From the bridge with another node's subnet, from outside with a pod's.
  await near.host.run(
    'ip -n pod addr add 10.88.7.7/32 dev eth0; ip -n pod route replace default via 10.88.1.1 src 10.88.7.7',
  );
  await stranger.run(
    'ip addr add 10.88.1.50/32 dev lo; ip route replace 10.88.2.0/24 via ' +
      `${target.host.address} src 10.88.1.50`,
  );
  const four = targets.filter(({ address }) => !address.includes(':'));
  expect(await answering(places['its pod'], four)).toEqual([]);
  expect(await answering({ host: stranger }, four)).toEqual([]);
  await near.host.run(
    'ip -n pod addr del 10.88.7.7/32 dev eth0; ip -n pod route replace default via 10.88.1.1',
  );
  await stranger.run(
    `ip addr del 10.88.1.50/32 dev lo; ip route replace 10.88.2.0/24 via ${target.host.address}`,
  );
  expect(await answering(places['its pod'], at(podOf(target), podPort))).toHaveLength(4);
});

test('a node that left is a stranger, as soon as the file says so', async () => {
  const targets = [...at(underlay(target.host), 2379), ...at(target.addresses, 2379)];
  await deliver(target, { hosts: hostsFile([target]), 'node-addresses': '' });
  expect(await answering(near, targets)).toEqual([]);
  await deliver(target, { hosts: hostsFile(members), 'node-addresses': nodeAddresses(target, members) });
  expect(await answering(near, targets)).toHaveLength(4);
});

test('a file with what are no addresses opens nothing, and keeps what there was', async () => {
  const rules = async () => (await target.host.run('nft list table inet firn')).stdout;
  const before = await rules();
  const harmful = `${nodeAddresses(target, members)}0.0.0.0/0\n198.18.0.1, 198.18.0.2\n} chain x { accept }\n`;
  await deliver(target, { 'node-addresses': harmful });
  expect(await rules()).toBe(before);
  await expect(deliver(target, { 'node-addresses': '999.1.1.1\n' })).rejects.toThrow('firn-firewall');
  expect(await rules()).toBe(before);
  await deliver(target, { 'node-addresses': nodeAddresses(target, members) });
});

test('without translation pods go out as themselves, and come in only from whom is allowed', async () => {
  const allowed = `${open} firn.network = { masquerade = false; allowInbound = [ "${stranger.address}/32" ]; };`;
  for (const member of members) await deployMember(member, allowed);
  expect(await seenAs(places['its pod'], at(underlay(stranger), podPort))).toEqual(podOf(near).sort());
  const [six, four] = podOf(target) as [string, string];
  expect(await answering({ host: stranger }, at([six, four], podPort))).toEqual(
    at([four], podPort).map(words),
  );
  for (const from of everyone) await expectTable(from);
});
