/**
 * The mesh's module on a kernel that has WireGuard. Node 1 is the machine, with the module as hosts have it; node 2 is a
 * network namespace beside it in which wg(8) and ip(8) are used by hand, so that it is no echo of the module.
 */
import { randomBytes } from 'node:crypto';
import { systemClock } from '../../controllers/lib/core/clock.ts';
import { Sealed } from '../../controllers/lib/core/sealed.ts';
import type { Hosts } from '../../controllers/lib/host/host.ts';
import { createHosts } from '../../controllers/lib/host/hosts.ts';
import { defaultLimits } from '../../controllers/lib/host/limits.ts';
import { programHash, programText } from '../../controllers/lib/host/program.ts';
import type { Observation } from '../../controllers/lib/host/protocol.ts';
import { type PeersEpoch, printPeersFile } from '../../controllers/wireguardmesh/peers.ts';
import { keepSecret } from '../support/secrets/registry.ts';
import { addresses, endpointAt, type NodeByHand, nodeByHand, portOf } from '../support/vm/by-hand.ts';
import { meshModule } from '../support/vm/mesh.ts';
import { startVm, type Vm } from '../support/vm/start.ts';
import { waitFor } from '../support/wait.ts';

type Mesh = NonNullable<Observation['wireguard']>;

const preshared = randomBytes(32).toString('base64');

let vm: Vm;
let hosts: Hosts;
/** Node 2. */
let other: NodeByHand;
const out = async (script: string): Promise<string> => (await vm.run(script)).stdout.trim();

beforeAll(async () => {
  keepSecret('a preshared key', preshared);
  vm = await startVm(meshModule);
  hosts = createHosts({
    clock: systemClock,
    program: { text: programText, hash: programHash },
    limits: { ...defaultLimits, connectMs: 60_000 },
  });
  other = await nodeByHand(vm, preshared);
  await vm.run(`set -eu
    mkdir -p /run/firn/current/data /etc/firn
    : >/etc/firn/mesh-preshared-keys; chmod 400 /etc/firn/mesh-preshared-keys`);
});
afterAll(async () => {
  await hosts?.close();
  await vm?.stop();
});

async function mesh(): Promise<Mesh> {
  const { address: host, port, hostKey, privateKey } = vm;
  const target = { poolKey: 'vm', host, port, user: 'root', hostKeys: [hostKey], trustFirstKey: false };
  const options = { signal: new AbortController().signal, deadlineMs: 180_000 };
  const seen = await hosts.at({ ...target, privateKey: new Sealed(privateKey) }).call('observe', {}, options);
  expect(seen.wireguard?.problemB64).toBe('');
  return seen.wireguard!;
}

const deviceOf = (epoch: number): string => (epoch % 2 === 1 ? 'wgkube' : 'wgkube-b');

/** What node 1 is told: its epochs, with the key of node 2 where it has one. */
async function apply(epochs: readonly { epoch: number; active: boolean; key?: string }[]): Promise<void> {
  const listed = epochs.map(
    ({ epoch, active, key }): PeersEpoch => ({
      ...{ epoch, device: deviceOf(epoch), listenPort: portOf(epoch), active },
      peers: key === undefined ? [] : [peer(epoch, key)],
    }),
  );
  const file = printPeersFile({
    interface: 'wgkube',
    addresses: ['fd88:1::1', '10.88.1.1'],
    networks: ['fd88::/16', '10.88.0.0/16'],
    mtu: null,
    epochs: listed,
  });
  const secrets = epochs.flatMap(({ key }) => (key === undefined ? [] : [`${key} ${preshared}\n`]));
  await vm.run(`set -eu
cat >/etc/firn/mesh-preshared-keys <<'END'
${secrets.join('')}END
cat >/run/firn/current/data/peers.json <<'END'
${file}END
systemctl reload-or-restart firn-mesh.service`);
}

const peer = (epoch: number, publicKey: string): PeersEpoch['peers'][number] => ({
  name: 'node2',
  publicKey,
  endpoint: endpointAt('2', epoch),
  keepalive: 1,
  allowedIPs: ['fd88:2::/32', '10.88.2.0/24'],
  preshared: true,
});

const keyOf = ({ keys }: Mesh, epoch: number): string => keys.find((key) => key.epoch === epoch)!.publicKey;

/** Asked of the kernel: an observation costs seconds here. */
const handshakes = (epoch: number) =>
  waitFor(
    `a handshake of epoch ${epoch}`,
    async () => /\t[1-9]/.test(await out(`wg show ${deviceOf(epoch)} latest-handshakes`)),
    { withinMs: 120_000, everyMs: 500 },
  );

const ping = (address: string) => out(`ping -n -q -c 3 -W 5 ${address} | grep -o '[0-9]* received'`);

/** Of packets that were sent one by one. The last ones may be on their way still. */
async function expectEveryAnswer(file: string): Promise<void> {
  const answered = (await out(`sed -n 's/.*icmp_seq=\\([0-9]*\\).*/\\1/p' ${file}`)).split('\n').map(Number);
  expect(answered.length).toBeGreaterThan(10);
  expect(answered).toEqual(answered.map((_, at) => at + 1));
}

let current: { epoch: number; key: string };

test('a device of the kernel is made, with a key that stays', async () => {
  await apply([{ epoch: 1, active: true }]);
  const first = await mesh();
  expect(first.devices).toMatchObject([
    { epoch: 1, device: 'wgkube', listenPort: 51820, active: true, peers: [] },
  ]);
  expect(await out('ip -d -o link show wgkube')).toContain('wireguard');
  const key = keyOf(first, 1);
  expect(await out('stat -c "%a %U" /var/lib/firn/wireguard/1.key')).toBe('600 root');
  await vm.run('systemctl stop firn-mesh.service; ! ip link show wgkube; systemctl start firn-mesh.service');
  expect(keyOf(await mesh(), 1)).toBe(key);
});

test('two meet by IPv4, with a preshared key, and reach each other in both families', async () => {
  const key = await other.meet(1, keyOf(await mesh(), 1));
  await other.turnTo(1);
  await apply([{ epoch: 1, active: true, key }]);
  await handshakes(1);
  expect(await ping(addresses.v4)).toBe('3 received');
  expect(await ping(addresses.v6)).toBe('3 received');
  const { devices } = await mesh();
  expect(devices[0]).toMatchObject({
    mtu: 1420,
    peers: [[key, expect.any(Number), expect.any(Number), expect.any(Number)]],
  });
  expect(await out('ip netns exec other ping -n -q -c 3 -W 5 fd88:1::1 | grep -o "[0-9]* received"')).toBe(
    '3 received',
  );
  current = { epoch: 1, key };
});

test.each([2, 3])('keys are replaced by those of epoch %d, and no packet is lost', async (epoch) => {
  const old = { ...current, active: true };
  await apply([old, { epoch, active: false }]);
  const key = await other.meet(epoch, keyOf(await mesh(), epoch));
  await apply([old, { epoch, active: false, key }]);
  await handshakes(epoch);
  await vm.run(`for a in ${addresses.v4} ${addresses.v6}; do
      setsid ping -n -i 0.2 $a >/run/ping.$a 2>&1 </dev/null & echo $! >/run/ping.$a.pid
    done`);
  await apply([
    { ...old, active: false },
    { epoch, active: true, key },
  ]);
  await other.turnTo(epoch);
  const moved = await mesh();
  expect(moved.devices.filter(({ active }) => active).map((device) => device.epoch)).toEqual([epoch]);
  await apply([{ epoch, active: true, key }]);
  const retired = await mesh();
  await vm.run(
    `ip -n other link del by-hand-${old.epoch}; sleep 2; kill -INT $(cat /run/ping.*.pid); sleep 1`,
  );
  for (const address of Object.values(addresses)) await expectEveryAnswer(`/run/ping.${address}`);
  expect(retired.devices.map(({ device }) => device)).toEqual([deviceOf(epoch)]);
  expect(retired.keys.map((one) => one.epoch)).toEqual([epoch]);
  await vm.run('rm /run/ping.*');
  current = { epoch, key };
});

test('what is no file of peers changes nothing', async () => {
  await vm.run('echo "{ }" >/run/firn/current/data/peers.json; ! systemctl reload firn-mesh.service');
  const { devices, keys } = await mesh();
  expect(devices[0]?.peers).toHaveLength(1);
  expect(keys.map(({ epoch }) => epoch)).toEqual([current.epoch]);
  expect(await ping(addresses.v4)).toBe('3 received');
});
