import { Sealed } from '../../controllers/lib/core/sealed.ts';
import { programText } from '../../controllers/lib/host/program.ts';
import type { DeliveredFile } from '../../controllers/lib/nix/release.ts';
import { drive } from '../support/host-program/driver.ts';
import { handmadeRelease0 } from '../support/host-program/handmade.ts';
import { type Operator, operate } from '../support/host-program/operator.ts';
import { startHosts, type TestHost, type TestHosts } from '../support/hosts/start.ts';

const canary = 'c4nary-5d41402abc4b2a76';

const file = (path: string, content: string, changes: Partial<DeliveredFile> = {}): DeliveredFile => ({
  path,
  content: new Sealed(new TextEncoder().encode(`${canary} ${content}`)),
  mode: 0o400,
  owner: 'root',
  group: 'root',
  restartUnits: [],
  reloadUnits: [],
  ...changes,
});

const counting = `[Service]
ExecStart=/bin/sh -c 'echo started >>/var/lib/starts; cat /run/keys/licence >/var/lib/seen; exec sleep 1000'
[Install]
WantedBy=multi-user.target
`;
const system = { name: 'files', units: { 'app.service': counting }, files: { asks: '', user: 'app' } };

let hosts: TestHosts;
let host: TestHost;
let operator: Operator;
const inHost = async (script: string) => (await host.run(script)).stdout.trim();

beforeAll(async () => {
  hosts = await startHosts({ count: 1, flavour: 'debian', secretsIn: ['/var/lib/seen'] });
  host = hosts.hosts[0]!;
  await host.run(handmadeRelease0);
  const driver = drive(host, programText);
  await driver.install();
  operator = operate(driver);
  await operator.claim();
});
afterAll(() => hosts?.stop());

const licence = (content: string) =>
  file('/run/keys/licence', content, { owner: 'app', group: 'app', restartUnits: ['app.service'] });

test('a file belongs to a user whom the same release creates, before its unit starts', async () => {
  await operator.deploy({ system, files: [licence('one')] });
  expect(await inHost('stat -L -c "%U %G %a" /run/keys/licence; cat /var/lib/seen')).toBe(
    `app app 400\n${canary} one`,
  );
  expect(await inHost('cat /var/lib/starts')).toBe('started');
});

test('another content restarts its unit once, and evaluates and switches nothing', async () => {
  const before = await inHost('wc -l </var/lib/switches');
  const id = await operator.deploy({ system, files: [licence('two'), file('/etc/other', 'x')] });
  expect((await operator.observe()).build).toMatchObject({ id, state: 'Succeeded' });
  expect(await inHost('cat /var/lib/seen /var/lib/starts')).toBe(
    `${canary} two\nstarted\nstarted`.replace('two\n', 'two'),
  );
  expect(await inHost('wc -l </var/lib/switches')).toBe(before);
  expect(await inHost('grep -c run-build /var/lib/firn/log/build || true')).toBe('0');
});

test('a file that left is gone, and the others stay', async () => {
  await operator.deploy({ system, files: [licence('two')] });
  expect(await inHost('ls /etc/other 2>/dev/null; cat /run/keys/licence')).toBe(`${canary} two`);
  expect(await inHost('wc -l </var/lib/starts')).toBe('2');
});

test('a file that somebody else put there is kept, and the release taken back', async () => {
  await host.run('echo mine >/etc/theirs');
  const id = await operator.prepare({ system, files: [licence('two'), file('/etc/theirs', 'x')] });
  await operator.activate(id);
  const { trial, bad, current, confirmed } = await operator.inState('Reverted');
  expect(trial).toMatchObject({ reason: 'FilesFailed' });
  expect(trial?.messageB64).toContain('/etc/theirs');
  expect(bad.map(({ part, reason }) => `${part} ${reason}`)).toEqual(['secrets FilesFailed']);
  expect(current).toBe(confirmed);
  expect(await inHost('cat /etc/theirs')).toBe('mine');
});

test('an owner that does not exist fails the release', async () => {
  const id = await operator.prepare({
    system,
    files: [licence('two'), file('/etc/x', 'x', { owner: 'nobodyknows' })],
  });
  await operator.activate(id);
  const { trial } = await operator.inState('Reverted');
  expect(trial?.reason).toBe('FilesFailed');
  expect(trial?.messageB64).toContain('nobodyknows');
});

test('a unit that does not come up again with its new file fails the release', async () => {
  const picky = `[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/grep -q good /run/keys/picky\n[Install]\nWantedBy=multi-user.target\n`;
  const pickySystem = { name: 'picky', units: { 'picky.service': picky } };
  const picked = (content: string) => file('/run/keys/picky', content, { restartUnits: ['picky.service'] });
  await operator.deploy({ system: pickySystem, files: [picked('good')] });
  const id = await operator.prepare({ system: pickySystem, files: [picked('wrong')] });
  await operator.activate(id);
  const { trial } = await operator.inState('Reverted');
  expect(trial?.reason).toBe('FilesFailed');
  expect(await inHost('cat /run/keys/picky; systemctl is-active picky.service')).toBe(
    `${canary} good\nactive`.replace('good\n', 'good'),
  );
  await operator.deploy({ system, files: [licence('two')] });
});

test('after a reboot without the operator the files are there before units start', async () => {
  await host.run('rm -f /var/lib/seen');
  await host.reboot();
  expect(await inHost('stat -L -c "%U %a" /run/keys/licence; cat /run/keys/licence')).toBe(
    `app 400\n${canary} two`,
  );
  const { secretsLost, failedUnits } = await operator.observe();
  expect({ secretsLost, failedUnits }).toEqual({ secretsLost: false, failedUnits: [] });
});

test('where the host key is another the boot goes on, and the secrets can be sent again', async () => {
  const seen = await operator.observe();
  await host.run('rm /var/lib/systemd/credential.secret');
  await host.reboot();
  const lost = await operator.observe();
  expect(lost.secretsLost).toBe(true);
  const hash = seen.releases.find(({ id }) => id === seen.confirmed)?.parts.secrets;
  expect(lost.stored.secrets).not.toContain(hash);
  await operator.deploy({ system, files: [licence('two')] }, { attempt: 9 });
  expect(await operator.observe()).toMatchObject({ secretsLost: false, current: seen.confirmed });
  expect(await inHost('cat /run/keys/licence')).toBe(`${canary} two`);
});

test('no secret is on the disk in the clear, in the journal, in the store or in an argument', async () => {
  const places = '/var/lib/firn /nix/store /var/log /tmp /root /etc';
  const found = await host.run(
    `grep -rlF ${canary.slice(0, 6)}''${canary.slice(6)} ${places} 2>/dev/null; journalctl --no-pager | grep -F ${canary.slice(0, 6)}''${canary.slice(6)}; grep -alF ${canary.slice(0, 6)}''${canary.slice(6)} /proc/[0-9]*/cmdline`,
    { allowFailure: true },
  );
  expect(found.stdout).toBe('');
});
