/** Hosts that misbehave: what the caller is told, and that the next call is none the worse. */
import { createHash } from 'node:crypto';
import { type Clock, systemClock } from '../../controllers/lib/core/clock.ts';
import { Sealed } from '../../controllers/lib/core/sealed.ts';
import type { Host, Hosts } from '../../controllers/lib/host/host.ts';
import { createHosts } from '../../controllers/lib/host/hosts.ts';
import { defaultLimits, type HostLimits } from '../../controllers/lib/host/limits.ts';
import { eventually, failure, options } from '../support/contract/context.ts';
import { ManualClock } from '../support/manual-clock.ts';
import type { Fault, FaultPoint } from '../support/ssh-server/faults.ts';
import {
  type ScriptedFleet,
  type ScriptedHost,
  startScriptedHosts,
} from '../support/ssh-server/scripted-hosts.ts';

const text = `${'#'.repeat(50_000)}\n`;
const program = { text, hash: createHash('sha256').update(text).digest('hex') };
const fencing = { installation: 'a'.repeat(32), fence: 1 };

let fleet: ScriptedFleet;
let machine: ScriptedHost;
let hosts: Hosts;
const open = (limits: Partial<HostLimits> = {}, clock: Clock = systemClock): Hosts =>
  createHosts({ clock, program, limits: { ...defaultLimits, ...limits } });
const at = (user = 'root', from = hosts): Host =>
  from.at({
    poolKey: 'alpha',
    host: machine.address,
    port: machine.port,
    user,
    privateKey: new Sealed(fleet.privateKey),
    hostKeys: [machine.hostKey],
    trustFirstKey: false,
  });
/** Calls that are to end well have time: others may be busy on this machine. */
const observe = (host = at(), deadlineMs = 20_000) => host.call('observe', {}, options({ deadlineMs }));
const claim = (host = at(), deadlineMs = 20_000) =>
  host.call('claim', { ...fencing, owner: 'fleet/alpha', uid: 'u', adopt: 0 }, options({ deadlineMs }));

beforeEach(async () => {
  fleet = await startScriptedHosts({ count: 1 });
  machine = fleet.hosts[0]!;
  hosts = open();
});
afterEach(async () => {
  await hosts.close();
  await fleet.close();
});

test.each<[string, Fault, object, string?]>([
  ['a closed port', { kind: 'refuseConnection' }, { code: 'ConnectionRefused' }],
  ['another host key', { kind: 'wrongHostKey' }, { code: 'HostKeyMismatch' }],
  ['a key that is not let in', { kind: 'refuseKey' }, { code: 'AuthenticationFailed' }],
  [
    'a shell that is none',
    { kind: 'notAShell', says: 'go away', exitStatus: 1 },
    { code: 'ShellUnusable', message: expect.stringContaining('go away') },
  ],
  [
    'sudo that refuses',
    { kind: 'refuseSudo', says: 'sudo: no' },
    { code: 'SudoRefused', message: expect.stringContaining('sudo: no') },
    'deploy',
  ],
  [
    'a disk that is full',
    { kind: 'storeFails', says: 'No space left on device' },
    { code: 'Refused', refusal: 'DiskFull' },
  ],
  [
    'a refusal',
    { kind: 'refuse', code: 'NoNix', message: 'no nix' },
    { code: 'Refused', refusal: 'NoNix', message: 'no nix' },
  ],
  ['a reply that is none', { kind: 'garbage', bytes: '{"ok":true}\n' }, { code: 'ProtocolViolation' }],
  [
    'more than can be a reply',
    { kind: 'garbage', bytes: new Uint8Array(9 * 1024 * 1024) },
    { code: 'ProtocolViolation' },
  ],
])('%s', async (_name, fault, expected, user = 'root') => {
  const remove = machine.faults.add(fault);
  expect(await failure(observe(at(user)))).toMatchObject(expected);
  remove();
  await observe(at(user));
});

test('chatter of a login shell around everything is not seen', async () => {
  machine.faults.add({
    kind: 'chatter',
    before: '\x1b[1mHi\nFIRN-0 end 0\n{"ok":false}\nno end',
    after: '\nbye\n',
  });
  await observe();
  await observe(at('deploy'));
});

test('sessions that the server has not yet let go of are waited for', async () => {
  machine.faults.add({ kind: 'refuseSession', times: 3 });
  await observe();
});

test('a server that opens no session at all is given up on', async () => {
  machine.faults.add({ kind: 'refuseSession' });
  expect(await failure(observe())).toMatchObject({ code: 'ShellUnusable' });
});

const points: FaultPoint[] = ['session', 'script', 'program', 'beforeEffect', 'afterEffect', 'reply'];

test.each(points)('cut at %s: the connection is lost, the effect is there or is not', async (point) => {
  machine.faults.add({ kind: 'cut', at: point, times: 1 });
  expect(await failure(claim())).toMatchObject({ code: 'ConnectionLost' });
  expect(machine.state.owner !== null).toBe(point === 'afterEffect' || point === 'reply');
  await claim();
  expect((await observe()).owner).toMatchObject(fencing);
});

test.each(points)('silence at %s: the deadline ends the call', async (point) => {
  machine.faults.add({ kind: 'hang', at: point, times: 1 });
  expect(await failure(claim(at(), 1_000))).toMatchObject({ code: 'DeadlineExceeded' });
  await claim();
});

test.each<FaultPoint>(['banner', 'login'])('cut at %s', async (point) => {
  machine.faults.add({ kind: 'cut', at: point, times: 1 });
  const first = await failure(observe()).catch(() => null);
  // A connection that dies before anything was sent over it is replaced within the call, once it was a connection.
  if (point === 'banner') expect(first).toMatchObject({ code: 'ConnectionLost' });
  await observe();
});

test('a handshake that does not end says how far it came', async () => {
  await hosts.close();
  hosts = open({ connectMs: 1_500 });
  machine.faults.add({ kind: 'hang', at: 'banner', times: 1 });
  const error = await failure(observe());
  expect(error).toMatchObject({ code: 'ConnectTimeout' });
  expect(error.message).toContain('no SSH banner');
  await hosts.close();
  hosts = open();
  await observe();
});

test('an idle connection is closed, and a busy one is not', async () => {
  const clock = new ManualClock();
  const own = open({ idleMs: 1_000 }, clock);
  try {
    await observe(at('root', own));
    await clock.pass(900);
    await observe(at('root', own));
    await clock.pass(900);
    expect(machine.connections).toBe(1);
    await clock.pass(100);
    await eventually(() => machine.connections === 0);
  } finally {
    await own.close();
  }
});

test('a host that restarts during a trial comes back to what was confirmed', async () => {
  await claim();
  machine.state.running.system = '/nix/store/11111111111111111111111111111111-nixos-system';
  const { bootId } = await observe();
  machine.reboot();
  await eventually(() => machine.state.counts.boots === 2);
  const seen = await observe();
  expect(seen.bootId).not.toBe(bootId);
  expect(seen.running.system).toBe(seen.release0?.running);
});

test('closing ends calls and connects under way', async () => {
  machine.faults.add({ kind: 'hang', at: 'script', times: 1 });
  const inCall = failure(observe());
  await eventually(() => machine.connections === 1);
  await new Promise((resolve) => setTimeout(resolve, 100));
  machine.faults.add({ kind: 'hang', at: 'banner' });
  const connecting = failure(at().call('observe', {}, options({ newConnection: true })));
  await eventually(() => machine.connections === 2);
  await hosts.close();
  expect(await inCall).toMatchObject({ code: 'ConnectionLost' });
  expect(await connecting).toMatchObject({ code: 'ConnectionLost' });
  await eventually(() => machine.connections === 0);
  expect(await failure(observe())).toMatchObject({ code: 'ConnectionLost' });
});

test('no private key is in any error or log line', async () => {
  const lines: string[] = [];
  const logging = createHosts({
    clock: systemClock,
    program,
    limits: defaultLimits,
    log: { debug: (fields, message) => lines.push(JSON.stringify([fields, message])) },
  });
  try {
    machine.faults.add({ kind: 'refuseKey', times: 1 });
    const error = await failure(observe(at('root', logging)));
    await observe(at('root', logging));
    expect(lines).toHaveLength(2);
    const secret = fleet.privateKey.split('\n')[2]!;
    expect([...lines, error.message, String(error.stack), JSON.stringify(error)].join('\n')).not.toContain(
      secret,
    );
  } finally {
    await logging.close();
  }
});
