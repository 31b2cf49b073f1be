/** The stand-in switches as NixOS does: what it touches, what it leaves alone, and what it says. */
import { activate, build, invocations } from '../support/generations.ts';
import { startHosts, type TestHost, type TestHosts } from '../support/hosts/start.ts';

let started: TestHosts;
let host: TestHost;
let release0: string;

beforeAll(async () => {
  started = await startHosts({ count: 1, flavour: 'nixos' });
  host = started.hosts[0]!;
  release0 = (await host.run('readlink /run/current-system')).stdout.trim();
});
afterAll(async () => {
  await started?.stop();
});
afterEach(async () => {
  expect(await activate(host, release0, 'test')).toMatchObject({ code: 0 });
});

const sleeper = (seconds: number, more = '') =>
  `{ wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "\${pkgs.coreutils}/bin/sleep ${seconds}"; ${more} }`;
const module = (body: string) => `{ lib, pkgs, ... }: { ${body} }`;

async function switchTo(name: string, body: string) {
  const toplevel = await build(host, name, module(body));
  return { toplevel, ...(await activate(host, toplevel, 'test')) };
}

test('a changed unit is restarted, a new one started, a removed one stopped, and nothing else', async () => {
  const units = [
    'changed.service',
    'same.service',
    'gone.service',
    'new.service',
    'sshd.service',
    'by-hand.service',
  ];
  await host.run('systemd-run --unit=by-hand sleep 1000');
  await switchTo(
    'before',
    `systemd.services = { changed = ${sleeper(1000)}; same = ${sleeper(1001)}; gone = ${sleeper(1002)}; };`,
  );
  const before = await invocations(host, units);
  const { code, said } = await switchTo(
    'after',
    `systemd.services = { changed = ${sleeper(2000)}; same = ${sleeper(1001, 'description = "Other words";')}; new = ${sleeper(1003)}; };`,
  );
  const after = await invocations(host, units);
  await host.run('systemctl stop by-hand');

  expect(code).toBe(0);
  expect(said).toContain('stopping the following units: changed.service, gone.service\n');
  expect(said).toContain('starting the following units: changed.service\n');
  expect(said).toContain('the following new units were started: new.service\n');
  const moved = units.filter((unit) => before[unit] !== after[unit]);
  expect(moved).toEqual(['changed.service', 'gone.service', 'new.service']);
  expect(after['gone.service']).toBe('');
  expect(after['changed.service']).not.toBe('');
});

test('units say how they want to be treated', async () => {
  const all = (seconds: number) => `systemd.services = {
    restarted = ${sleeper(seconds, 'stopIfChanged = false;')};
    left = ${sleeper(seconds, 'restartIfChanged = false;')};
    reloaded = ${sleeper(1000, `reloadIfChanged = true; serviceConfig.ExecReload = "\${pkgs.coreutils}/bin/touch /run/reloaded-${seconds}";`)};
    triggered = ${sleeper(1000, `restartTriggers = [ "${seconds}" ]; stopIfChanged = false;`)};
    retriggered = ${sleeper(1000, `reloadTriggers = [ "${seconds}" ]; serviceConfig.ExecReload = "\${pkgs.coreutils}/bin/touch /run/retriggered";`)};
  };`;
  const units = ['restarted', 'left', 'reloaded', 'triggered', 'retriggered'].map(
    (name) => `${name}.service`,
  );
  await switchTo('ways-before', all(1000));
  const before = await invocations(host, units);
  const { code, said } = await switchTo('ways-after', all(2000));
  const after = await invocations(host, units);

  expect(code).toBe(0);
  expect(said).toContain('NOT restarting the following changed units: left.service\n');
  expect(said).toContain('reloading the following units: reloaded.service, retriggered.service\n');
  expect(said).toContain('restarting the following units: restarted.service, triggered.service\n');
  expect(units.filter((unit) => before[unit] !== after[unit])).toEqual([
    'restarted.service',
    'triggered.service',
  ]);
  await host.run('ls /run/reloaded-2000 /run/retriggered');
});

test('a removed slice takes along what runs in it', async () => {
  await switchTo(
    'slice',
    'systemd.slices.guests = { }; systemd.targets.multi-user.wants = [ "guests.slice" ];',
  );
  await host.run(
    'systemd-run --unit=guest --slice=guests.slice sleep 1000; systemd-run --unit=outsider sleep 1000',
  );
  await switchTo('no-slice', '');
  const { stdout } = await host.run(
    'systemctl is-active guest guests.slice outsider; systemctl stop outsider',
    {
      allowFailure: true,
    },
  );
  expect(stdout.trim().split('\n')).toEqual(['inactive', 'inactive', 'active']);
});

test('a socket is started again in place of its service', async () => {
  const service = (seconds: number) => `
    systemd.sockets.door = { wantedBy = [ "sockets.target" ]; listenStreams = [ "/run/door" ]; };
    systemd.services.door.serviceConfig.ExecStart = "\${pkgs.coreutils}/bin/sleep ${seconds}";`;
  await switchTo('socket-before', service(1000));
  await host.run('systemctl start door.service');
  const { code, said } = await switchTo('socket-after', service(2000));
  expect(code).toBe(0);
  expect(said).toContain('stopping the following units: door.service, door.socket\n');
  expect(said).toContain('starting the following units: door.socket\n');
  const { stdout } = await host.run('systemctl is-active door.service door.socket', { allowFailure: true });
  expect(stdout.trim().split('\n')).toEqual(['inactive', 'active']);
});

test('a unit that fails: status 4, its log, and the way back', async () => {
  const { toplevel, code, said } = await switchTo(
    'failing',
    'systemd.services.failing = { wantedBy = [ "multi-user.target" ]; serviceConfig.Type = "oneshot"; script = "echo the reason; exit 3"; };',
  );
  expect(code).toBe(4);
  expect(said).toContain('warning: the following units failed: failing.service\n');
  expect(said).toContain('the reason');
  expect((await host.run('readlink /run/current-system')).stdout.trim()).toBe(toplevel);

  expect(await activate(host, release0, 'test')).toMatchObject({ code: 0 });
  expect((await host.run('systemctl --failed --no-legend; readlink /run/current-system')).stdout.trim()).toBe(
    release0,
  );
});

test('an activation script that fails: status 2, and the rest goes on', async () => {
  const { code, said } = await switchTo(
    'activation',
    `system.activationScripts.broken = "false"; systemd.services.after = ${sleeper(1000)};`,
  );
  expect(code).toBe(2);
  expect(said).toContain("Activation script snippet 'broken' failed (1)");
  await host.run('systemctl is-active after.service');
});

test('dry-activate says it and does nothing', async () => {
  const toplevel = await build(
    host,
    'dry',
    module(`systemd.services.dry = ${sleeper(1000)}; services.openssh.settings.LogLevel = "VERBOSE";`),
  );
  const { code, said } = await activate(host, toplevel, 'dry-activate');
  expect(code).toBe(0);
  expect(said).toContain('would activate the configuration...\n');
  expect(said).toContain('would restart the following units: sshd.service\n');
  expect((await host.run('readlink /run/current-system; ls /run/nixos')).stdout.trim().split('\n')).toEqual([
    release0,
    'switch-to-configuration.lock',
  ]);
});

test('another manager is entered without losing what runs', async () => {
  await host.run('systemd-run --unit=survivor sleep 1000');
  const before = await invocations(host, ['survivor.service', 'sshd.service']);
  const { code, said } = await switchTo(
    'manager',
    'systemd.package = pkgs.buildEnv { name = "systemd-next"; paths = [ pkgs.systemd ]; };',
  );
  expect(code).toBe(0);
  expect(said).toContain('restarting systemd...\n');
  const after = await invocations(host, ['survivor.service']);
  await host.run('systemctl stop survivor');
  expect(after['survivor.service']).toBe(before['survivor.service']);
});

test('an init system of another interface is not entered live: status 100, and nothing happened', async () => {
  const { code, said } = await switchTo(
    'interface',
    `systemd.package = pkgs.systemd // { interfaceVersion = 3; }; systemd.services.never = ${sleeper(1000)};`,
  );
  expect(code).toBe(100);
  expect(said).toContain('do not know how to make this configuration live; please reboot');
  expect((await host.run('readlink /run/current-system')).stdout.trim()).toBe(release0);
});

test('two switches at once: the second is refused', async () => {
  const { stdout } = await host.run(
    `flock /run/nixos/switch-to-configuration.lock sh -c '${release0}/bin/switch-to-configuration test 2>&1; echo "status $?"'`,
  );
  expect(stdout).toBe('Could not acquire lock\nstatus 1\n');
});

test('a switch that was interrupted is finished by the next', async () => {
  const toplevel = await build(
    host,
    'lists',
    module(
      `systemd.services.forgotten = { serviceConfig.ExecStart = "\${pkgs.coreutils}/bin/sleep 1000"; };`,
    ),
  );
  await host.run('echo forgotten.service >/run/nixos/start-list');
  const { code, said } = await activate(host, toplevel, 'test');
  expect(code).toBe(0);
  expect(said).toContain('starting the following units: forgotten.service\n');
  expect((await host.run('ls /run/nixos')).stdout.trim()).toBe('switch-to-configuration.lock');
});
