/** Three booted members with a mesh of one epoch, and what tests of the mesh ask of them. */
import { startHosts } from './hosts/start.ts';
import {
  deliver,
  deployMember,
  hostsFile,
  type Member,
  type MeshShape,
  memberOf,
  mesh,
  nodeAddresses,
  type PublicKeys,
  peersFile,
} from './members.ts';
import type { Flow } from './ping.ts';
import { waitFor } from './wait.ts';

export const firstEpoch: MeshShape = { epochs: [{ epoch: 1, active: true }] };

export type MeshOfThree = {
  members: [Member, Member, Member];
  /** Of all epochs so far. */
  keys: PublicKeys;
  give(member: Member, shape: MeshShape, among?: readonly Member[]): Promise<void>;
  /** One after the other, as an operator comes by. */
  giveAll(shape: MeshShape): Promise<void>;
  /** Every host to every address of the others. */
  flows(): Flow[];
  stop(): Promise<void>;
};

export async function startMeshOfThree(): Promise<MeshOfThree> {
  const started = await startHosts({
    ...{ count: 3, flavour: 'nixos', names: ['node1', 'node2', 'node3'] },
    secretsIn: [1, 2, 3].map((epoch) => `/var/lib/firn/wireguard/${epoch}.key`),
  });
  const members = started.hosts.map(memberOf) as [Member, Member, Member];
  const three: MeshOfThree = {
    members,
    keys: {},
    give: (member, shape, among = members) =>
      deliver(member, { 'peers.json': peersFile(member, among, three.keys, shape) }),
    giveAll: async (shape) => {
      for (const member of members) await three.give(member, shape);
    },
    flows: () =>
      members.flatMap(({ host }) =>
        members
          .filter((to) => to.host !== host)
          .flatMap((to) => to.addresses.map((address) => ({ from: host, to: address }))),
      ),
    stop: started.stop,
  };
  try {
    for (const member of members) {
      await deliver(member, { hosts: hostsFile(members), 'node-addresses': nodeAddresses(member, members) });
      await deployMember(member, `networking.extraHosts = "${members[1].host.address} second.example";`);
    }
    three.keys = await mesh(members, firstEpoch);
    return three;
  } catch (error) {
    await started.stop();
    throw error;
  }
}

/** What the unit says of itself. */
export const stateOf = async ({ host }: Member): Promise<string[]> =>
  (await host.run('cat /run/firn/mesh/state')).stdout.trim().split('\n');

export const problemsOf = async (member: Member): Promise<string[]> =>
  (await stateOf(member)).filter((line) => line.startsWith('problem '));

/** Times of the last handshakes by public key, in seconds since 1970; 0: none yet. */
export async function handshakes({ host }: Member, device = 'wgkube'): Promise<Record<string, number>> {
  const { stdout } = await host.run(`wg show ${device} latest-handshakes`);
  const lines = stdout.trim().split('\n');
  return Object.fromEntries(lines.map((line) => line.split('\t')).map(([key, at]) => [key, Number(at)]));
}

export async function reaches(from: Member, to: Member): Promise<boolean> {
  const script = to.addresses.map((address) => `ping -n -q -c 1 -W 2 ${address}`).join(' && ');
  return (await from.host.run(script, { allowFailure: true })).code === 0;
}

/** Within a minute: two that begin at the same moment wait for each other for five seconds, and machines are busy. */
export async function allReach(members: readonly Member[]): Promise<void> {
  let silent = '';
  const ask = async () => {
    for (const from of members)
      for (const to of members) {
        silent = `${from.host.name} to ${to.host.name}`;
        if (!(await reaches(from, to))) return false;
      }
    return true;
  };
  await waitFor('all to reach all', ask, { withinMs: 60_000, otherwise: () => silent });
}
