/** The machine that the stand-in for NixOS boots on: test/nixos/README.md, "The loader". */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { activate, build } from '../support/generations.ts';
import { waitFor } from '../support/hosts/command.ts';
import { startHosts, type TestHost } from '../support/hosts/start.ts';

/** Writes a system into the root that consists of an init only. */
function writeSystem(root: string, path: string, script: string): void {
  mkdirSync(join(root, path), { recursive: true });
  writeFileSync(join(root, path, 'init'), `#!/bin/sh\n${script}\n`);
  chmodSync(join(root, path, 'init'), 0o755);
}

const defaultOf = (root: string) => readFileSync(join(root, 'boot/firn-loader/default'), 'utf8').trim();
const systemsBooted = (host: TestHost) =>
  [...host.console().matchAll(/^firn-loader: (\S+) \((\w+)\)$/gm)].map(([, path, how]) => `${how} ${path}`);

test('release 0 boots: systemd, sshd, Nix, and programs in the store only', async () => {
  await using started = await startHosts({ count: 1, flavour: 'nixos', names: ['alpha'] });
  const host = started.hosts[0]!;
  const look = await host.run(`echo /bin/* /usr/bin/*; hostname; readlink /run/current-system
    systemctl is-system-running --wait; systemctl --failed --no-legend`);
  const system = defaultOf(host.root);
  expect(look.stdout.trim().split('\n')).toEqual(['/bin/sh /usr/bin/env', 'alpha', system, 'running']);
  expect((await host.run('nix-store --query --roots "$(cat /nix/var/firn-userland)"')).stdout).toContain(
    'gcroots',
  );
});

test('what persists over a power cut and what does not', async () => {
  await using started = await startHosts({ count: 1, flavour: 'nixos' });
  const host = started.hosts[0]!;
  const keys = await host.run('cat /etc/machine-id /etc/ssh/ssh_host_ed25519_key.pub');
  await host.run('for d in /etc /run /tmp /var/lib /root /home /boot; do echo x >$d/mark; done');
  await host.powerCut();
  await host.powerOn();
  const found = await host.run(
    'ls -d /etc/mark /run/mark /tmp/mark /var/lib/mark /root/mark /home/mark /boot/mark',
    {
      allowFailure: true,
    },
  );
  expect(found.stdout.trim().split('\n').sort()).toEqual([
    '/boot/mark',
    '/home/mark',
    '/root/mark',
    '/var/lib/mark',
  ]);
  expect((await host.run('cat /etc/machine-id /etc/ssh/ssh_host_ed25519_key.pub')).stdout).toBe(keys.stdout);
});

test('builds run in Nix’ sandbox, without a network', async () => {
  await using started = await startHosts({ count: 1, flavour: 'nixos' });
  const host = started.hosts[0]!;
  const script = 'echo "$(echo /*)" $(echo /sys/class/net/*) >$out';
  const expression = `derivation {
    name = "sandboxed"; system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" ''${script}'' ];
  }`;
  await host.run('cat >/tmp/sandboxed.nix', { input: expression });
  const paths = '/lib /lib64 /usr/lib /usr/lib64 /bin/sh';
  const built = await host.run(
    `cat "$(nix-build --no-out-link --option sandbox true --option sandbox-paths '${paths}' /tmp/sandboxed.nix)"`,
  );
  expect(built.stdout).toContain('/build');
  expect(built.stdout).not.toMatch(/\/root|\/srv|host0/);
});

test('a one-shot entry boots once, however that boot ends', async () => {
  const prepare = async (root: string) =>
    writeSystem(root, 'srv/other', `echo other; exec ${defaultOf(root)}/init`);
  await using started = await startHosts({ count: 1, flavour: 'nixos', prepare });
  const host = started.hosts[0]!;
  await host.run('echo /srv/other >/boot/firn-loader/oneshot');
  await host.reboot();
  await host.powerCut();
  await host.powerOn();
  const normal = `default ${defaultOf(host.root)}`;
  expect(systemsBooted(host)).toEqual([normal, 'oneshot /srv/other', normal]);
});

test('a generation whose init hangs is left by the watchdog, and the default has not moved', async () => {
  await using started = await startHosts({ count: 1, flavour: 'nixos' });
  const host = started.hosts[0]!;
  const hangs = await build(
    host,
    'hangs',
    `{ pkgs, ... }: { boot.postBootCommands = "echo hanging; \${pkgs.coreutils}/bin/sleep 1000"; }`,
  );
  await host.run(`bootctl set-oneshot ${hangs}; systemctl --no-block reboot`);
  expect(await waitFor(() => host.console().includes('hanging'), { timeoutMs: 60_000, everyMs: 100 })).toBe(
    true,
  );
  expect(await host.reachable()).toBe(false);
  await host.waitReachable();
  expect(host.console()).toContain('watchdog: systemd does not run');
  expect((await host.run('readlink /run/current-system')).stdout.trim()).toBe(defaultOf(host.root));
});

test('a generation that became the default is booted from then on', async () => {
  await using started = await startHosts({ count: 1, flavour: 'nixos' });
  const host = started.hosts[0]!;
  const before = defaultOf(host.root);
  const next = await build(host, 'next', '{ environment.etc.generation.text = "next"; }');
  expect((await activate(host, next, 'boot')).code).toBe(0);
  await host.reboot();
  await host.powerCut();
  await host.powerOn();
  expect(systemsBooted(host)).toEqual([`default ${before}`, `default ${next}`, `default ${next}`]);
  expect((await host.run('cat /etc/generation')).stdout).toBe('next');
});

test('an init that ends is a panic: three boots, then it stays off', async () => {
  const prepare = async (root: string) => {
    writeSystem(root, 'srv/panics', 'echo panicking; exit 1');
    writeFileSync(join(root, 'boot/firn-loader/default'), '/srv/panics\n');
  };
  await using started = await startHosts({ count: 1, flavour: 'nixos', prepare, power: 'off' });
  const host = started.hosts[0]!;
  await host.powerOn({ wait: 'nothing' });
  expect(await waitFor(() => systemsBooted(host).length === 3, { timeoutMs: 20_000, everyMs: 100 })).toBe(
    true,
  );
  await expect(host.waitReachable(1_000)).rejects.toThrow(/panicking/);
  expect(host.boots()).toBe(3);
});
