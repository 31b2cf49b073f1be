/** The ground that all host tests stand on: if this fails, what others say means nothing. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { execute, waitFor } from '../support/hosts/command.ts';
import { startHosts, type TestHost } from '../support/hosts/start.ts';
import { remainsOf } from '../support/hosts/sweep.ts';

const slotOf = (host: TestHost) => Number(host.adminKeyFile.split('/').at(-2));
const bootId = async (host: TestHost) => (await host.run('cat /proc/sys/kernel/random/boot_id')).stdout;

async function ssh(host: TestHost, command: string): Promise<string> {
  const known = `${host.adminKeyFile}.known`;
  writeFileSync(known, `${host.address} ${host.hostKey}\n`);
  const options = [
    'StrictHostKeyChecking=yes',
    `UserKnownHostsFile=${known}`,
    'BatchMode=yes',
    'ConnectTimeout=5',
  ];
  const args = ['-i', host.adminKeyFile, ...options.flatMap((option) => ['-o', option])];
  return (
    await execute('ssh', [...args, `root@${host.address}`, command], { timeoutMs: 20_000 })
  ).stdout.trim();
}

test('a Debian host boots, and ssh knows it by its key', async () => {
  await using started = await startHosts({ count: 1, flavour: 'debian', names: ['alpha'] });
  const host = started.hosts[0]!;
  expect(await ssh(host, 'hostname')).toBe('alpha');
  expect((await host.run('systemctl is-system-running --wait', { allowFailure: true })).stdout.trim()).toBe(
    'running',
  );
  expect((await host.run('nix eval --expr "6 * 7"')).stdout.trim()).toBe('42');
});

test('a script gets its input, keeps out of arguments, and fails as it should', async () => {
  await using started = await startHosts({ count: 1, flavour: 'debian' });
  const host = started.hosts[0]!;
  expect((await host.run('cat', { input: 'from outside' })).stdout).toBe('from outside');
  const seen = await host.run(': needle-in-script; cat /proc/*/cmdline', { allowFailure: true });
  expect(seen.stdout).not.toContain('needle-in-script');
  await expect(host.run('echo broken >&2; exit 3')).rejects.toThrow(/ended with 3: broken/);
  await expect(host.run('sleep 60', { timeoutMs: 300 })).rejects.toThrow(/did not end within 300 ms/);
});

test('power cut, power on, reboot and power off are those of a machine', async () => {
  await using started = await startHosts({ count: 1, flavour: 'debian' });
  const host = started.hosts[0]!;
  const first = await bootId(host);
  await host.run('echo kept >/var/lib/kept; systemd-run --unit=lost sleep 1000');

  await host.powerCut();
  expect(await host.reachable()).toBe(false);
  await host.powerOn();
  const second = await bootId(host);
  expect(second).not.toBe(first);
  const after = await host.run('cat /var/lib/kept; systemctl is-active lost', { allowFailure: true });
  expect(after.stdout).toBe('kept\ninactive\n');

  await host.reboot();
  expect(await bootId(host)).not.toBe(second);
  expect(host.boots()).toBe(3);
  expect(await ssh(host, 'true')).toBe('');

  await host.powerOff();
  expect(await host.reachable()).toBe(false);
});

test('a network that is cut comes back, with and without the host noticing', async () => {
  await using started = await startHosts({ count: 2, flavour: 'debian' });
  const [one, two] = started.hosts as [TestHost, TestHost];
  const ping = (to: string) => one.run(`ping -nqc1 -W1 ${to}`, { allowFailure: true });
  expect((await ping(two.address)).code).toBe(0);
  expect((await ping(two.address6)).code).toBe(0);

  await two.cutNetwork();
  expect(await two.reachable()).toBe(false);
  expect((await ping(two.address)).code).toBe(1);
  expect((await two.run('cat /sys/class/net/host0/carrier')).stdout).toBe('1\n');
  await two.restoreNetwork();
  await two.waitReachable(5_000);

  await two.cutNetwork('unplugged');
  expect(await two.reachable()).toBe(false);
  expect((await two.run('cat /sys/class/net/host0/carrier')).stdout).toBe('0\n');
  expect(await one.reachable()).toBe(true);
  await two.restoreNetwork();
  await two.waitReachable(15_000);
});

test('asking whether a host is reachable shuts nobody out', async () => {
  await using started = await startHosts({ count: 1, flavour: 'debian' });
  const host = started.hosts[0]!;
  for (let asked = 0; asked < 60; asked++) expect(await host.reachable()).toBe(true);
  expect(await ssh(host, 'hostname')).toBe('h1');
});

test('five hosts boot at once, each in cgroups of its own', async () => {
  const before = performance.now();
  await using started = await startHosts({ count: 5, flavour: 'debian' });
  const seconds = (performance.now() - before) / 1000;
  expect(seconds).toBeLessThan(60);
  const slot = slotOf(started.hosts[0]!);
  const groups = (
    await execute('find', ['/sys/fs/cgroup', '-path', `*firn-hosts/${slot}/h?`], { timeoutMs: 10_000 })
  ).stdout;
  expect(
    new Set(
      groups
        .trim()
        .split('\n')
        .map((path) => path.split('/').at(-1)),
    ).size,
  ).toBe(5);
  // One that goes takes no other with it.
  await started.hosts[0]!.powerCut();
  expect(await Promise.all(started.hosts.map((host) => host.reachable()))).toEqual([
    false,
    true,
    true,
    true,
    true,
  ]);
});

test('nothing stays behind, be it stopped, failed or killed', async () => {
  const stopped = await startHosts({ count: 1, flavour: 'debian' });
  const slot = slotOf(stopped.hosts[0]!);
  expect(remainsOf(slot)).not.toEqual([]);
  await stopped.stop();
  expect(remainsOf(slot)).toEqual([]);

  let failed = -1;
  const prepare = async (root: string) => {
    failed = Number(/firn-hosts\/(\d+)/.exec(root)?.[1]);
    throw new Error('not prepared');
  };
  await expect(startHosts({ count: 1, flavour: 'debian', prepare })).rejects.toThrow('not prepared');
  expect(remainsOf(failed)).toEqual([]);

  const killed = await startInChild();
  killed.child.kill('SIGKILL');
  expect(await waitFor(() => remainsOf(killed.slot).length === 0, { timeoutMs: 15_000, everyMs: 100 })).toBe(
    true,
  );
});

test('the next run removes what a run and its keeper left that were both killed', async () => {
  const { child, slot } = await startInChild();
  const keeper = await execute('pgrep', ['-P', String(child.pid), '-f', `keeper.ts ${slot}$`], {
    timeoutMs: 5_000,
  });
  process.kill(Number(keeper.stdout), 'SIGKILL');
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(remainsOf(slot)).not.toEqual([]);
  await using started = await startHosts({ count: 0, flavour: 'debian' });
  expect(started.hosts).toEqual([]);
  expect(remainsOf(slot).filter((what) => what.startsWith('process') || what.includes('/root'))).toEqual([]);
});

/** A test run of its own, with one booted host. */
async function startInChild() {
  const program = `import { startHosts } from './test/support/hosts/start.ts';
    const { hosts } = await startHosts({ count: 1, flavour: 'debian' });
    console.log(hosts[0].adminKeyFile);
    setTimeout(() => {}, 60_000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    cwd: join(import.meta.dirname, '../..'),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: child.stdout }))
    return { child, slot: Number(line.split('/').at(-2)) };
  throw new Error('the child has no host');
}
