import { programText } from '../../controllers/lib/host/program.ts';
import { drive } from '../support/host-program/driver.ts';
import { handmadeRelease0 } from '../support/host-program/handmade.ts';
import { type Operator, operate } from '../support/host-program/operator.ts';
import { startHosts, type TestHost, type TestHosts } from '../support/hosts/start.ts';

const unit = (command: string): string =>
  `[Service]\nExecStart=/bin/sh -c '${command}'\n[Install]\nWantedBy=multi-user.target\n`;

let hosts: TestHosts;
let host: TestHost;
let operator: Operator;

beforeAll(async () => {
  hosts = await startHosts({ count: 1, flavour: 'debian' });
  host = hosts.hosts[0]!;
  await host.run(handmadeRelease0);
  const driver = drive(host, programText);
  await driver.install();
  operator = operate(driver);
});
afterAll(() => hosts?.stop());

test('a host is claimed, and release 0 remembered', async () => {
  await operator.claim();
  const seen = await operator.observe();
  expect(seen.owner?.ownerB64).toBe('fleet/alpha');
  expect(seen.release0?.running).toBe(seen.running.system);
});

test('a system is staged, built, switched to and confirmed', async () => {
  const id = await operator.deploy({
    system: { name: 'a', units: { 'app.service': unit('exec sleep 1000') } },
  });
  const seen = await operator.observe();
  expect(seen).toMatchObject({ current: id, confirmed: id, trial: { state: 'Confirmed' } });
  expect(seen.running.system).toBe(seen.running.profile);
  const { stdout } = await host.run('systemctl is-active app.service; cat /boot/firn-loader/default');
  expect(stdout).toBe(`active\n${seen.running.system}\n`);
});
