import type { Observation } from '../../controllers/lib/host/protocol.ts';
import { type Driver, drive, killableProgram } from '../support/host-program/driver.ts';
import { handmadeRelease0 } from '../support/host-program/handmade.ts';
import { arm, interrupted } from '../support/host-program/interrupt.ts';
import { type Operator, operate, type Wish } from '../support/host-program/operator.ts';
import { startHosts, type TestHost, type TestHosts } from '../support/hosts/start.ts';

const unit = (text: string): string =>
  `[Service]\nExecStart=/bin/sh -c 'exec sleep 1000'\nEnvironment=X=${text}\n[Install]\nWantedBy=multi-user.target\n`;
const wish = (name: string, files: Record<string, string> = {}): Wish => ({
  system: {
    name,
    units: { 'app.service': unit(name), [`app-${name}.service`]: unit(name) },
    files: { asks: '', ...files },
  },
  data: new Map([['hosts', name]]),
});

let hosts: TestHosts;
let host: TestHost;
let driver: Driver;
let operator: Operator;
let attempt = 0;

beforeAll(async () => {
  hosts = await startHosts({ count: 1, flavour: 'debian' });
  host = hosts.hosts[0]!;
  await host.run(handmadeRelease0);
  driver = drive(host, killableProgram());
  await driver.install();
  operator = operate(driver);
  await operator.claim();
  await operator.deploy(wish('base'));
});
afterAll(() => hosts?.stop());

/** Points on the way of a good release, in their order, and on the way back of one that fails. */
const ways = {
  good: [
    'activate-begun',
    'activate-armed',
    'trial-Activating',
    'activate-flipped',
    'activate-switched',
    'trial-AwaitingConfirmation',
    'trial-Confirming',
    'confirm-begun',
    'confirm-profile',
    'confirm-boot',
    'confirm-confirmed',
    'trial-Confirmed',
  ],
  bad: ['trial-Reverting', 'revert-stopped', 'revert-flipped', 'revert-switched', 'trial-Reverted'],
} as const;

const rows = (['kill', 'cut'] as const).flatMap((how) =>
  (['good', 'bad'] as const).flatMap((way) => ways[way].map((point) => ({ how, way, point }))),
);

test.each(rows)(
  '$how at $point of a $way release: the host has it or what was before, whole',
  async ({ how, way, point }) => {
    attempt += 1;
    const wanted = wish(`${how}${attempt}`, way === 'bad' ? { breaks: '' } : {});
    const id = await operator.prepare(wanted);
    const before = await operator.observe();
    await interrupted(host, how, point, () => attemptDeployment(id));
    if (how === 'kill')
      expect(await host.run(`ls /var/lib/firn-test`).then(({ stdout }) => stdout)).not.toContain('kill-');
    const seen = await operator.until('at rest', atRest, 60_000);
    await expectWhole(seen);
    expect([id, before.confirmed]).toContain(seen.confirmed);
  },
);

test('a host on which nobody calls any more takes back what was killed', async () => {
  const { confirmed } = await operator.observe();
  const id = await operator.prepare(wish('alone'));
  await arm(host, 'kill', 'activate-switched');
  await operator.activate(id, { activateSeconds: 10 });
  await new Promise((resolve) => setTimeout(resolve, 18_000));
  const { stdout } = await host.run(
    'readlink /var/lib/firn/current; grep -E "^(id|state|reason) " /var/lib/firn/trial',
  );
  expect(stdout).toBe(`releases/${confirmed}\nid ${id}\nstate Reverted\nreason ActivationTimedOut\n`);
  await expectWhole(await operator.observe());
});

test('and the next release is deployed as if nothing had been', async () => {
  const id = await operator.deploy(wish('last'));
  expect(await operator.observe()).toMatchObject({ current: id, confirmed: id });
});

/** As an operator would, and like one that dies: whatever fails ends it. */
async function attemptDeployment(id: string): Promise<void> {
  await operator.activate(id, { confirmSeconds: 10, activateSeconds: 20 });
  const { trial } = await operator.settled();
  if (trial?.state === 'AwaitingConfirmation') await operator.confirm(id);
}

const atRest = ({ trial }: Observation): boolean =>
  trial === null || ['Confirmed', 'Reverted'].includes(trial.state);

/** What runs, what a boot comes back to, and what the state says are one and the same release. */
async function expectWhole(seen: Observation): Promise<void> {
  const system = seen.releases.find(({ id }) => id === seen.current)?.system;
  // A confirmation that a power cut hit before the boot loader is entered after it is recorded.
  await operator.until('running its release', ({ running }) => running.system === system, 30_000);
  const settled = await operator.observe();
  expect(settled.current).toBe(settled.confirmed);
  expect(settled.running.profile).toBe(system);
  expect(settled.failedUnits).toEqual([]);
  const { stdout } = await host.run(
    `cat /boot/firn-loader/default; for u in ${system}/units/*; do systemctl is-active "\${u##*/}"; done; cat /run/firn/current/data/hosts; ls /run/systemd/system | grep -c '^app'`,
  );
  expect(stdout).toBe(`${system}\nactive\nactive\n${nameOf(settled)}2\n`);
}

const nameOf = (seen: Observation): string => seen.running.system.replace(/^.*-system-/, '');
