/** That scripted hosts shake hands when WireGuard would, and not otherwise. */
import { wireguardSchema } from '../../../controllers/lib/host/observed.ts';
import { type Peer, type PeersFile, printPeersFile } from '../../../controllers/wireguardmesh/peers.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import type { Listener } from '../../support/ssh-server/listener.ts';
import { createMachine } from '../../support/ssh-server/machine.ts';
import { observeMesh } from '../../support/ssh-server/mesh.ts';
import { defaultDurations, type Machine } from '../../support/ssh-server/state.ts';

const closed = { listen: async () => {}, cutAll: () => {} } as unknown as Listener;
const release = { manifest: '', system: null, stagedAt: 0, wasConfirmed: true };
const parts = { system: 's', data: 'd', secrets: 'e' };

let clock: ManualClock;
let started: { machine: Machine; stop(): void }[];
beforeEach(() => {
  clock = new ManualClock();
  started = [];
});
afterEach(() => {
  for (const { stop } of started) stop();
});

function host(name: string): Machine {
  const one = createMachine(name, clock, defaultDurations, () => closed);
  started.push(one);
  return one.machine;
}

const file = (epochs: Record<number, Peer[]>): PeersFile => ({
  interface: 'wgkube',
  addresses: [],
  networks: [],
  mtu: null,
  epochs: Object.entries(epochs).map(([epoch, peers], at) => ({
    epoch: Number(epoch),
    device: `wgkube${at || ''}`,
    listenPort: 51820 + at,
    active: at === 0,
    peers,
  })),
});

function give({ state }: Machine, epochs: Record<number, Peer[]>): void {
  state.stored.data.set('d', new Map([['peers.json', printPeersFile(file(epochs))]]));
  state.releases.set('r', { ...release, parts });
  state.current = 'r';
}

const look = (machine: Machine) => {
  const seen = wireguardSchema.parse(observeMesh(machine));
  if (seen === null) throw new Error('there is no mesh');
  return seen;
};
const keyOf = (machine: Machine, epoch = 1): string =>
  look(machine).keys.find((key) => key.epoch === epoch)!.publicKey;
const lastOf = (machine: Machine): number[] =>
  look(machine).devices.flatMap(({ peers }) => peers.map(([, last]) => last));

const peer = (name: string, publicKey: string, changes: Partial<Peer> = {}): Peer => ({
  name,
  publicKey,
  endpoint: '192.0.2.1:51820',
  keepalive: 25,
  allowedIPs: [],
  preshared: true,
  ...changes,
});

/** Two hosts that have each other's key; `changes` to what each says of the other. */
function pair(changes: { alpha?: Partial<Peer>; beta?: Partial<Peer> } = {}): [Machine, Machine] {
  const [alpha, beta] = [host('alpha'), host('beta')];
  for (const one of [alpha, beta]) give(one, { 1: [] });
  const [keyOfAlpha, keyOfBeta] = [keyOf(alpha), keyOf(beta)];
  give(alpha, { 1: [peer('beta', keyOfBeta, changes.alpha)] });
  give(beta, { 1: [peer('alpha', keyOfAlpha, changes.beta)] });
  return [alpha, beta];
}

test('a host without the file has no mesh', () => {
  expect(observeMesh(host('alone'))).toBeNull();
});

test('two that have each other meet, and meet again', async () => {
  const [alpha, beta] = pair({ beta: { endpoint: null } });
  const now = Math.floor(clock.now() / 1000);
  expect([lastOf(alpha), lastOf(beta)]).toEqual([[now], [now]]);
  await clock.pass(119_000);
  expect(lastOf(alpha)).toEqual([now]);
  await clock.pass(2_000);
  expect(lastOf(alpha)).toEqual([now + 120]);
  expect(look(alpha).devices[0]?.peers[0]?.[2]).toBeGreaterThan(148);
});

test.each<[string, Parameters<typeof pair>[0], (alpha: Machine, beta: Machine) => void]>([
  ['of whom none dials', { alpha: { endpoint: null }, beta: { endpoint: null } }, () => {}],
  ['with a preshared key on one side', { alpha: { preshared: false } }, () => {}],
  ['of whom one does not know the other', undefined, (_, beta) => give(beta, { 1: [] })],
  ['that are cut off by one side', undefined, (_, beta) => void beta.state.mesh.down.add('alpha')],
  ['of whom one is switched off', undefined, (_, beta) => beta.network('down')],
])('two %s do not meet', (_, changes, change) => {
  const [alpha, beta] = pair(changes);
  change(alpha, beta);
  expect(lastOf(alpha)).toEqual([0]);
});

test('who is cut off later keeps the time of the last handshake', async () => {
  const [alpha, beta] = pair();
  const [last] = lastOf(alpha);
  beta.network('down');
  await clock.pass(600_000);
  expect(lastOf(alpha)).toEqual([last]);
});

test('a stranger answers where the test says so', () => {
  const alpha = host('alpha');
  const laptop = Buffer.alloc(32, 7).toString('base64');
  give(alpha, { 1: [peer('laptop', laptop)] });
  expect(lastOf(alpha)).toEqual([0]);
  alpha.state.mesh.answering.add(laptop);
  expect(lastOf(alpha)).not.toEqual([0]);
});

test('keys are made once, survive a boot, and go with their epoch', async () => {
  const [alpha] = pair();
  const first = keyOf(alpha);
  give(alpha, { 1: [], 2: [] });
  const second = keyOf(alpha, 2);
  expect(keyOf(alpha)).toBe(first);
  alpha.reboot();
  await clock.pass(defaultDurations.boot);
  // Which of them runs is the confirmed one, and there is none.
  alpha.state.current = 'r';
  expect(look(alpha)).toMatchObject({
    keys: [
      { epoch: 1, publicKey: first },
      { epoch: 2, publicKey: second },
    ],
    devices: [
      { epoch: 1, device: 'wgkube', active: true, listenPort: 51820 },
      { epoch: 2, device: 'wgkube1', active: false, listenPort: 51821 },
    ],
  });
  give(alpha, { 2: [] });
  expect(look(alpha).keys).toEqual([{ epoch: 2, publicKey: second }]);
});

test('a problem is told', () => {
  const alpha = host('alpha');
  alpha.state.mesh.problem = 'port 51820 is taken';
  expect(look(alpha)).toEqual({ keys: [], devices: [], problemB64: 'port 51820 is taken' });
});
