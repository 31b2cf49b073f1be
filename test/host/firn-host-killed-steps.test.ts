import { randomBytes } from 'node:crypto';
import { Sealed } from '../../controllers/lib/core/sealed.ts';
import type { MadeFile } from '../../controllers/lib/nix/release.ts';
import { type Driver, drive, killableProgram } from '../support/host-program/driver.ts';
import { handmadeRelease0 } from '../support/host-program/handmade.ts';
import { arm, interrupted, reached } from '../support/host-program/interrupt.ts';
import { type Operator, operate, type Wish } from '../support/host-program/operator.ts';
import { startHosts, type TestHost, type TestHosts } from '../support/hosts/start.ts';

/** Steps around a trial: each is killed once, asked for again, and must then be done. */
let hosts: TestHosts;
let host: TestHost;
let driver: Driver;
let operator: Operator;
let count = 0;

beforeAll(async () => {
  hosts = await startHosts({ count: 1, flavour: 'debian' });
  host = hosts.hosts[0]!;
  await host.run(handmadeRelease0);
  driver = drive(host, killableProgram());
  await driver.install();
  operator = operate(driver);
});
afterAll(() => hosts?.stop());

const wish = (): Wish => ({
  system: { name: `step${count++}`, files: { asks: '' } },
  data: new Map([['hosts', String(count)]]),
});

const path = '/etc/kubernetes/pki/sa.key';
const secret = `the key ${randomBytes(12).toString('hex')}`;
const made = new Map([[path, new Sealed(new TextEncoder().encode(secret))]]);
const key = (keptIn: string | null): MadeFile => ({
  ...{ path, mode: 0o400, owner: 'root', group: 'root', restartUnits: [], reloadUnits: [] },
  purpose: String(count),
  keptIn,
});

const both = (points: string[]) =>
  points.flatMap((point) => [{ how: 'kill', point } as const, { how: 'cut', point } as const]);

test.each(both(['claim-before-owner']))('claim, $how at $point', async ({ how, point }) => {
  await interrupted(host, how, point, () => operator.claim());
  await operator.claim();
  const { owner, release0, running } = await operator.observe();
  expect(owner?.fence).toBe(1);
  expect(release0?.running).toBe(running.system);
  await host.run('rm /var/lib/firn/owner');
});

test.each(both(['stage-before-release']))('stage, $how at $point', async ({ how, point }) => {
  await operator.claim();
  const wanted = wish();
  await interrupted(host, how, point, () => operator.stage(wanted));
  const id = await operator.stage(wanted);
  expect((await operator.observe()).releases.map((release) => release.id)).toContain(id);
  const { stdout } = await host.run(
    'ls -d /run/firn/payload* /var/lib/firn/releases/*.new 2>/dev/null || true',
  );
  expect(stdout).toBe('');
});

test.each(both(['stage-kept', 'stage-sealed']))(
  'stage with a kept file, $how at $point',
  async ({ how, point }) => {
    const before = await operator.deploy({ ...wish(), files: [key(null)], made });
    const { parts } = (await operator.observe()).releases.find(({ id }) => id === before)!;
    const wanted = { ...wish(), files: [key(parts.secrets)] };
    await interrupted(host, how, point, () => operator.stage(wanted));
    await operator.deploy(wanted);
    expect((await host.run(`cat ${path}; ls -d /run/firn/payload* 2>/dev/null || true`)).stdout).toBe(secret);
  },
);

test.each(both(['job-build', 'build-ended']))('build, $how at $point', async ({ how, point }) => {
  const id = await operator.stage(wish());
  await interrupted(host, how, point, () => operator.build(id));
  const failed = await operator.until('failed', ({ build }) => build?.state === 'Failed');
  expect(failed.build?.messageB64).toContain('interrupted');
  expect(failed.bad).toEqual([]);
  expect((await operator.build(id)).build?.state).toBe('Succeeded');
});

test('a boot that is cut while it ends a trial ends it the next time', async () => {
  const before = await operator.deploy(wish());
  const id = await operator.prepare(wish());
  await operator.activate(id);
  await operator.inState('AwaitingConfirmation');
  await arm(host, 'cut', 'boot-before-trial');
  await host.powerCut();
  await host.powerOn({ wait: 'nothing' });
  await reached(host, 'cut', 'boot-before-trial');
  const seen = await operator.observe();
  expect(seen).toMatchObject({
    current: before,
    confirmed: before,
    trial: { id, state: 'Reverted', reason: 'HostRestarted' },
  });
});

test.each(both(['reset-flipped', 'reset-default', 'reset-switched', 'reset-unrooted']))(
  'reset, $how at $point',
  async ({ how, point }) => {
    await operator.claim();
    await operator.deploy(wish());
    const reset = () => operator.reset();
    await interrupted(host, how, point, reset);
    await driver.ended('firn-reset');
    await operator.reset().catch((error: { code?: string }) => {
      if (error.code !== 'NotClaimed') throw error;
    });
    await driver.ended('firn-reset');
    const seen = await operator.observe();
    expect(seen).toMatchObject({
      owner: null,
      release0: null,
      current: null,
      confirmed: null,
      trial: null,
      releases: [],
    });
    const { stdout } = await host.run(
      'cat /boot/firn-loader/default; readlink -f /nix/var/nix/profiles/system',
    );
    expect(stdout).toBe(`${seen.running.system}\n${seen.running.system}\n`);
  },
);
