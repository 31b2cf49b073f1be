import { Sealed } from '../../controllers/lib/core/sealed.ts';
import { programText } from '../../controllers/lib/host/program.ts';
import type { Tree } from '../../controllers/lib/nix/tree.ts';
import { type Driver, drive } from '../support/host-program/driver.ts';
import { nixosBundles } from '../support/host-program/nixos.ts';
import { type Operator, operate } from '../support/host-program/operator.ts';
import { startHosts, type TestHost, type TestHosts } from '../support/hosts/start.ts';

let hosts: TestHosts;
let host: TestHost;
let driver: Driver;
let operator: Operator;
let bundle: (module: string) => Tree;
let base: string;
let first: string;
const inHost = async (script: string) => (await host.run(script, { allowFailure: true })).stdout.trim();

beforeAll(async () => {
  hosts = await startHosts({ count: 1, flavour: 'nixos' });
  host = hosts.hosts[0]!;
  driver = drive(host, programText);
  await driver.install();
  operator = operate(driver);
  await operator.claim();
  bundle = await nixosBundles(host, driver, operator);
}, 900_000);
afterAll(() => hosts?.stop());

const licence = {
  path: '/run/keys/licence',
  content: new Sealed(new TextEncoder().encode('the licence')),
  mode: 0o400,
  owner: 'app',
  group: 'app',
  restartUnits: ['app.service'],
  reloadUnits: [],
};
const app = `{ pkgs, ... }: {
  users.users.app = { isSystemUser = true; group = "app"; };
  users.groups.app = { };
  systemd.services.app = {
    wantedBy = [ "multi-user.target" ];
    requires = [ "firn-secrets.service" ];
    after = [ "firn-secrets.service" ];
    script = "\${pkgs.coreutils}/bin/cat /run/keys/licence >/dev/null; exec \${pkgs.coreutils}/bin/sleep infinity";
    serviceConfig.User = "app";
  };
}`;
const withParameter = (name: string, more = ''): string =>
  app.replace(/\}$/, `  boot.kernelParams = [ "${name}" ];\n${more}}`);

test('a user, its file and its unit come with one release and are there after a reboot', async () => {
  base = await operator.deploy({ system: bundle(app), files: [licence] });
  expect(
    await inHost('systemctl is-active app.service; systemctl show -p NRestarts --value app.service'),
  ).toBe('active\n0');
  first = base;
  await host.reboot();
  const seen = await operator.observe();
  expect(seen).toMatchObject({
    current: base,
    confirmed: base,
    bootedOther: false,
    secretsLost: false,
    failedUnits: [],
  });
  expect(
    await inHost('systemctl is-active app.service firn-secrets.service; stat -L -c %U /run/keys/licence'),
  ).toBe('active\nactive\napp');
});

const reboot = (id: string, confirmSeconds: number) =>
  driver.call('reboot', { ...operator.fencing, id, attempt: 1, confirmSeconds, allow: '' });
const rebooted = async (boots: number) => {
  const end = Date.now() + 60_000;
  while (host.boots() <= boots && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 100));
  await host.waitReachable();
};

test('a candidate with another kernel command line waits for a reboot, enters it once, and is confirmed', async () => {
  const id = await operator.prepare({ system: bundle(withParameter('firn.test=1')), files: [licence] });
  await operator.activate(id);
  const due = await operator.inState('RebootDue');
  expect(due.trial?.messageB64).toContain('kernel-params');
  expect(due.current).toBe(base);
  const boots = host.boots();
  await reboot(id, 60);
  await rebooted(boots);
  const trial = await operator.inState('AwaitingConfirmation');
  expect(trial).toMatchObject({ current: id, confirmed: base, bootedOther: false });
  expect(await inHost('systemctl is-active app.service')).toBe('active');
  expect(await operator.confirm(id)).toEqual({ ok: true, state: 'Confirmed' });
  await host.reboot();
  expect(await operator.observe()).toMatchObject({ current: id, confirmed: id, bootedOther: false });
  base = id;
});

test('a guarded reboot that nobody confirms comes back', async () => {
  const id = await operator.prepare({ system: bundle(withParameter('firn.test=2')), files: [licence] });
  await operator.activate(id);
  await operator.inState('RebootDue');
  const boots = host.boots();
  await reboot(id, 8);
  await rebooted(boots + 1);
  const seen = await operator.inState('Reverted');
  expect(seen).toMatchObject({ current: base, confirmed: base, trial: { reason: 'NotConfirmed' } });
  expect(seen.bad).toMatchObject([{ part: 'system', reason: 'NotConfirmed' }]);
});

test('a candidate that does not boot is left by the next boot', async () => {
  const id = await operator.prepare({
    system: bundle(withParameter('firn.test=3', 'boot.postBootCommands = "exit 1";')),
    files: [licence],
  });
  await operator.activate(id);
  await operator.inState('RebootDue');
  const boots = host.boots();
  await reboot(id, 60);
  await rebooted(boots + 1);
  const seen = await operator.inState('Reverted');
  expect(seen).toMatchObject({ current: base, confirmed: base, trial: { reason: 'HostRestarted' } });
  expect(seen.bad.map(({ hash }) => hash)).toContain(
    seen.releases.find((release) => release.id === id)?.parts.system,
  );
});

test('a person who boots an older generation gets its release, and it is said', async () => {
  const older = await operator.observe();
  const { stdout } = await host.run('readlink -f /nix/var/nix/profiles/system-2-link');
  await host.run(`printf '%s\\n' ${stdout.trim()} >/boot/firn-loader/oneshot`);
  await host.reboot();
  const seen = await operator.observe();
  expect(seen).toMatchObject({ bootedOther: true, current: first });
  expect(seen.confirmed).toBe(older.confirmed);
  await driver.call('resume', operator.fencing);
  await host.reboot();
  expect(await operator.observe()).toMatchObject({ bootedOther: false, current: base });
});
