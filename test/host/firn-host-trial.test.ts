import { programText } from '../../controllers/lib/host/program.ts';
import { type Driver, drive } from '../support/host-program/driver.ts';
import { handmadeRelease0 } from '../support/host-program/handmade.ts';
import { type Operator, operate } from '../support/host-program/operator.ts';
import { startHosts, type TestHost, type TestHosts } from '../support/hosts/start.ts';

const unit = (command: string, more = ''): string =>
  `[Service]\nExecStart=/bin/sh -c '${command}'\n${more}[Install]\nWantedBy=multi-user.target\n`;
const app = unit('exec sleep 1000');

let hosts: TestHosts;
let host: TestHost;
let driver: Driver;
let operator: Operator;
let base: string;
const inHost = async (script: string) => (await host.run(script, { allowFailure: true })).stdout.trim();

beforeAll(async () => {
  hosts = await startHosts({ count: 1, flavour: 'debian' });
  host = hosts.hosts[0]!;
  await host.run(handmadeRelease0);
  driver = drive(host, programText);
  await driver.install();
  operator = operate(driver);
  await operator.claim();
});
afterAll(() => hosts?.stop());

test('a first release that is not confirmed in time goes back to the system from before Firn', async () => {
  const id = await operator.prepare({ system: { name: 'first', units: { 'app.service': app } } });
  await operator.activate(id, { confirmSeconds: 5 });
  await operator.inState('AwaitingConfirmation');
  const seen = await operator.inState('Reverted');
  expect(seen).toMatchObject({
    current: null,
    confirmed: null,
    trial: { reason: 'NotConfirmed', deadline: null },
  });
  expect(seen.running.system).toBe(seen.release0?.running);
  expect(seen.bad).toMatchObject([{ part: 'system', reason: 'NotConfirmed' }]);
  expect(await inHost('systemctl is-active app.service; ls /run/systemd/system/app.service 2>&1')).toContain(
    'inactive',
  );
  expect(await operator.confirm(id)).toEqual({ ok: true, state: 'Reverted' });
});

test('nothing of a trial stays in systemd when it has ended', async () => {
  expect(await inHost("systemctl list-units --all --plain --no-legend 'firn-*'")).toBe('');
});

test('what is confirmed is forgiven', async () => {
  base = await operator.deploy({ system: { name: 'first', units: { 'app.service': app } } }, { attempt: 2 });
  expect((await operator.observe()).bad).toEqual([]);
});

const broken = [
  {
    name: 'fails',
    files: { fails: '', says: 'error: the lines that a user needs\n' },
    reason: 'ActivationFailed',
    text: 'the lines that a user needs',
  },
  { name: 'halfway', files: { breaks: '' }, reason: 'ActivationFailed', text: 'status 1' },
  {
    name: 'unit',
    units: { 'bad.service': unit('echo it is broken; exit 3') },
    reason: 'UnitsFailed',
    text: 'bad.service',
  },
  {
    name: 'loops',
    units: { 'loop.service': unit('exit 1', 'Restart=always\nRestartSec=1\n') },
    reason: 'UnitsFailed',
    text: 'loop.service',
  },
  { name: 'slow', files: { slow: '300' }, reason: 'ActivationTimedOut', text: 'longer than it may' },
];

test.each(broken)(
  'a system that $name is taken back: $reason',
  async ({ name, reason, text, files = {}, units = {} }) => {
    const id = await operator.prepare({
      system: { name, units: { 'app.service': app.replace('1000', `100${name.length}`), ...units }, files },
    });
    await operator.activate(id, { activateSeconds: reason === 'ActivationTimedOut' ? 10 : 60 });
    const seen = await operator.inState('Reverted');
    expect(seen).toMatchObject({ current: base, confirmed: base, trial: { id, reason }, failedUnits: [] });
    expect(seen.trial?.messageB64).toContain(text);
    expect(seen.bad.at(-1) ?? null).not.toBeNull();
    expect(seen.running.system).toBe(seen.releases.find((release) => release.id === base)?.system);
    expect(
      await inHost('systemctl is-active app.service; grep -c 1000 /run/systemd/system/app.service'),
    ).toBe('active\n1');
    expect(await inHost("pgrep -f 'sleep 300'; ls /run/nixos 2>/dev/null")).toBe('');
  },
);

test('a unit that was stopped on the way is started again by the revert', async () => {
  const id = await operator.prepare({ system: { name: 'stops', files: { breaks: '' } } });
  await operator.activate(id);
  await operator.inState('Reverted');
  expect(await inHost('systemctl is-active app.service')).toBe('active');
});

test('a trial is activated once, however often that is asked', async () => {
  const id = await operator.prepare({ system: { name: 'once', units: { 'app.service': app } } });
  const before = Number(await inHost('grep -c ^test /var/lib/switches'));
  await Promise.all([operator.activate(id), operator.activate(id), operator.activate(id)]);
  await operator.inState('AwaitingConfirmation');
  await operator.activate(id);
  expect(Number(await inHost('grep -c ^test /var/lib/switches'))).toBe(before + 1);
  const other = await operator.stage({ system: { name: 'other' } });
  await expect(operator.activate(other)).rejects.toMatchObject({ code: 'Busy' });
  const answers = await Promise.all([operator.confirm(id), operator.confirm(id)]);
  expect(answers.map(({ state }) => state)).toEqual(['Confirmed', 'Confirmed']);
  base = id;
});

test('confirm and the timer at once: one of them happens', async () => {
  const id = await operator.prepare({ system: { name: 'race', units: { 'app.service': app } } });
  await operator.activate(id, { confirmSeconds: 5 });
  const { trial, time } = await operator.inState('AwaitingConfirmation');
  await new Promise((resolve) =>
    setTimeout(resolve, Math.max(0, ((trial?.deadline ?? time) - time) * 1000 - 200)),
  );
  const { state } = await operator.confirm(id);
  const seen = await operator.inState('Confirmed', 'Reverted');
  expect(seen.confirmed).toBe(seen.current);
  if (['Reverting', 'Reverted'].includes(state)) expect(seen.confirmed).toBe(base);
  else base = id;
  expect(seen.confirmed).toBe(base);
});

test('only data changed: nothing is switched, and who reads it is told', async () => {
  const system = {
    name: 'data',
    units: { 'reader.service': unit('cat /run/firn/current/data/hosts >/var/lib/read; exec sleep 1000') },
    files: { 'etc/firn/data-units': 'hosts restart reader.service\n' },
  };
  await operator.deploy({ system, data: new Map([['hosts', 'one\n']]) });
  const before = await inHost('cat /var/lib/switches');
  base = await operator.deploy({ system, data: new Map([['hosts', 'two\n']]) });
  expect(await inHost('cat /var/lib/read; cat /run/firn/current/data/hosts')).toBe('two\ntwo');
  expect(await inHost('cat /var/lib/switches')).toBe(before);
});

test('a person takes a trial back', async () => {
  const id = await operator.prepare({ system: { name: 'unwanted' } });
  await operator.activate(id);
  await operator.inState('AwaitingConfirmation');
  await driver.call('revert', { ...operator.fencing, id, attempt: 1, message: 'not today' });
  const seen = await operator.inState('Reverted');
  expect(seen).toMatchObject({ current: base, trial: { reason: 'RejectedByUser', messageB64: 'not today' } });
});

test('an older operator and a foreign one are refused, and a newer one is not', async () => {
  const newer = operate(driver, { fence: 7 });
  await newer.claim();
  await expect(operator.stage({ system: { name: 'late' } })).rejects.toMatchObject({ code: 'Fenced' });
  await expect(operator.claim()).rejects.toMatchObject({ code: 'Fenced' });
  const foreign = operate(driver, { installation: 'f'.repeat(32), fence: 9 });
  await expect(foreign.claim()).rejects.toMatchObject({ code: 'OwnedByOther' });
  await foreign.claim(1);
  await expect(newer.claim()).rejects.toMatchObject({ code: 'OwnedByOther' });
  await newer.claim(1);
  operator = newer;
});

const unbuildable = [
  {
    reason: 'EvaluationFailed',
    system: { name: `\${throw "the evaluation says why"}` },
    text: 'the evaluation says why',
  },
  {
    reason: 'BuildFailed',
    system: { name: 'unbuildable', files: { unbuildable: 'the build says why\n' } },
    text: 'the build says why',
  },
];

test.each(unbuildable)('$reason is remembered with its error', async ({ reason, system, text }) => {
  const seen = await operator.build(await operator.stage({ system }));
  expect(seen.build?.state).toBe('Failed');
  expect(seen.build?.messageB64).toContain(text);
  const bad = seen.bad.find((entry) => entry.reason === reason);
  expect(bad).toMatchObject({ part: 'system' });
  expect(bad?.messageB64).toContain(text);
});

test('a build that is killed is no fault of the release', async () => {
  const id = await operator.stage({ system: { name: 'killed', files: { 'etc/x': 'x' } } });
  await host.run(
    'systemctl stop firn-build.service; mv /usr/bin/nix /usr/bin/nix-kept; printf "#!/bin/sh\\nsleep 100\\n" >/usr/bin/nix; chmod +x /usr/bin/nix',
  );
  await driver.call('build', { ...operator.fencing, id });
  await host.run('systemctl kill --signal=KILL firn-build.service; mv /usr/bin/nix-kept /usr/bin/nix');
  const seen = await operator.until('noticed', ({ build }) => build?.state === 'Failed');
  expect(seen.build?.messageB64).toContain('interrupted');
  const { system } = seen.releases.find((release) => release.id === id)!.parts;
  expect(seen.bad.filter(({ hash }) => hash === system)).toEqual([]);
  expect((await operator.build(id)).build?.state).toBe('Succeeded');
});

test('a full disk is said before anything is written, and reverting needs no space', async () => {
  const id = await operator.prepare({ system: { name: 'big', units: { 'app.service': app } } });
  await operator.activate(id, { confirmSeconds: 5 });
  await operator.inState('AwaitingConfirmation');
  const script = `mkdir /tmp/keep && cp -a /var/lib/firn/. /tmp/keep && mount -t tmpfs -o size=6m tmpfs /var/lib/firn && cp -a /tmp/keep/. /var/lib/firn
    head -c 8000000 /dev/zero >/var/lib/firn/filler 2>/dev/null; df /var/lib/firn | tail -1`;
  expect(await inHost(script)).toContain('100%');
  const seen = await operator.inState('Reverted');
  expect(seen).toMatchObject({ current: base, trial: { reason: 'NotConfirmed' } });
  await expect(operator.stage({ system: { name: 'more' } })).rejects.toMatchObject({ code: 'DiskFull' });
  await host.run(
    'rm /var/lib/firn/filler; cp -a /var/lib/firn/. /tmp/keep; umount /var/lib/firn; cp -a /tmp/keep/. /var/lib/firn',
  );
});

test('prune leaves what runs, what a boot comes back to and what is a generation', async () => {
  await host.run('touch -d "2 hours ago" /var/lib/firn/releases/* /var/lib/firn/parts/*/*');
  await driver.call('prune', operator.fencing);
  const seen = await operator.observe();
  expect(seen.releases.map(({ id }) => id)).toContain(base);
  const unreferenced = seen.stored.system.filter(
    (hash) => !seen.releases.some(({ parts }) => parts.system === hash),
  );
  expect(unreferenced).toEqual([]);
});

test('reset goes back to the system from before Firn and leaves nothing of it', async () => {
  await driver.call('reset', operator.fencing);
  const seen = await operator.until('reset', ({ owner, release0 }) => owner === null && release0 === null);
  const zero = await inHost('readlink -f /run/current-system; cat /boot/firn-loader/default');
  expect(zero).toBe(`${seen.running.profile}\n${seen.running.profile}`);
  await driver.ended('firn-reset');
  // Who asked brought the program again, and with it its folders.
  await driver.call('depart', {});
  const left =
    'ls -d /nix/var/nix/gcroots/firn /run/firn /var/lib/firn*; systemctl list-units --all --plain --no-legend "firn-*"';
  expect(await inHost(left)).toBe('/var/lib/firn-test');
}, 100_000);
