/** Systems of the stand-in are what NixOS makes of the same options, as far as tests look at it. */
import { activate, build } from '../support/generations.ts';
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

const module = (body: string) => `{ lib, pkgs, ... }: { ${body} }`;
const defaultSystem = async () => (await host.run('cat /boot/firn-loader/default')).stdout.trim();

async function switchTo(name: string, body: string): Promise<string> {
  const toplevel = await build(host, name, module(body));
  expect(await activate(host, toplevel, 'test')).toMatchObject({ code: 0 });
  return toplevel;
}

test('users, groups and files come, keep their numbers, and go', async () => {
  const body = `
    users.users.app = { isSystemUser = true; group = "app"; };
    users.users.ann = { isNormalUser = true; extraGroups = [ "wheel" ]; openssh.authorizedKeys.keys = [ "ssh-ed25519 AAAA ann" ]; };
    users.groups.app = { };
    environment.etc."app/app.conf".text = "one";
    environment.etc."app/secret" = { text = "two"; mode = "0640"; user = "app"; group = "app"; };`;
  const look = `id app; id -nG ann; stat -c '%U %G %a' /etc/app/secret; cat /etc/app/app.conf /etc/ssh/authorized_keys.d/ann; stat -c %U /home/ann`;
  await switchTo('users', body);
  const first = (await host.run(look)).stdout;
  expect(first).toMatch(/^uid=(\d+)\(app\) gid=\d+\(app\)/);
  expect(first.split('\n').slice(1)).toEqual([
    'users wheel',
    'app app 640',
    'onessh-ed25519 AAAA ann',
    'ann',
    '',
  ]);

  await switchTo('no-users', 'environment.etc."app/app.conf".text = "other";');
  const gone = await host.run('cat /etc/app/app.conf; ls /etc/app; id app', { allowFailure: true });
  expect(gone.stdout).toBe('otherapp.conf\n');
  await switchTo('users', body);
  expect((await host.run(look)).stdout).toBe(first);
  expect(await activate(host, release0, 'test')).toMatchObject({ code: 0 });
  expect((await host.run('find /etc/app -type f -o -type l')).stdout).toBe('');
});

test('the firewall follows, and closing the port of SSH closes it', async () => {
  await switchTo(
    'closed',
    'networking.firewall.allowedTCPPorts = [ 80 ]; services.openssh.openFirewall = false;',
  );
  expect(await host.reachable()).toBe(false);
  await switchTo(
    'nftables',
    'networking.nftables.enable = true; networking.firewall.extraInputRules = "tcp dport 4711 accept";',
  );
  // No order binds this unit to the targets that a switch waits for.
  expect((await host.run('systemctl start nftables && nft list ruleset')).stdout).toContain(
    'tcp dport 4711 accept',
  );
  expect(await host.reachable()).toBe(true);
  expect(await activate(host, release0, 'test')).toMatchObject({ code: 0 });
  expect(await host.reachable()).toBe(true);
});

test('a .network file that sorts before the loader’s can break the network, and taking it away mends it', async () => {
  await switchTo(
    'no-network',
    'systemd.network.networks."10-host0" = { matchConfig.Name = "host0"; address = [ "203.0.113.1/24" ]; };',
  );
  expect(await host.reachable()).toBe(false);
  expect(await activate(host, release0, 'test')).toMatchObject({ code: 0 });
  await host.waitReachable(5_000);
});

test('boot and switch set the default, test and dry-activate do not', async () => {
  const body = 'environment.etc.generation.text = "next"; boot.kernelPackages = pkgs.linuxPackages_latest;';
  const next = await switchTo('next', body);
  await activate(host, next, 'dry-activate');
  expect(await defaultSystem()).toBe(release0);
  expect(await activate(host, release0, 'test')).toMatchObject({ code: 0 });

  expect(await activate(host, next, 'boot')).toMatchObject({ code: 0 });
  expect(await defaultSystem()).toBe(next);
  expect((await host.run('readlink /run/current-system; test ! -e /etc/generation')).stdout.trim()).toBe(
    release0,
  );
  expect((await host.run(`cat ${next}/kernel ${release0}/kernel`)).stdout).toBe('6.18.0\n6.12.0\n');

  await host.reboot();
  const look = 'readlink /run/current-system /run/booted-system; cat /etc/generation';
  expect((await host.run(look)).stdout).toBe(`${next}\n${next}\nnext`);
  expect(await activate(host, release0, 'switch')).toMatchObject({ code: 0 });
  expect(await defaultSystem()).toBe(release0);
});

test('bootctl set-oneshot enters a system for one boot', async () => {
  const once = await build(host, 'once', module('environment.etc.generation.text = "once";'));
  await host.run(`bootctl set-oneshot ${once}`);
  await host.reboot();
  expect((await host.run('readlink /run/booted-system')).stdout.trim()).toBe(once);
  await host.reboot();
  expect((await host.run('readlink /run/booted-system')).stdout.trim()).toBe(release0);
  await expect(host.run('bootctl set-oneshot /nix/store/none')).rejects.toThrow('no system');
});

test('with the daemon, build users and the sandbox', async () => {
  await switchTo('daemon', 'nix.nrBuildUsers = 2; nix.settings.sandbox = true;');
  const probe = `{ pkgs, ... }: { environment.etc.probe.source = pkgs.runCommand "probe" { } "id -u >$out; ls / >>$out"; }`;
  const system = await build(host, 'sandboxed', probe);
  const [uid, ...root] = (await host.run(`cat ${system}/etc/probe`)).stdout.trim().split('\n');
  expect(uid).not.toBe('0');
  expect(root).not.toContain('srv');
  const { stdout } = await host.run(
    `setpriv --reuid=nobody --regid=nogroup --clear-groups env HOME=/tmp nix-store --query --references ${system} | head -1`,
  );
  expect(stdout).toMatch(/^\/nix\/store\//);
  expect((await host.run('systemctl is-active nix-daemon')).stdout.trim()).toBe('active');
  expect(await activate(host, release0, 'test')).toMatchObject({ code: 0 });
});

test('a build that fails says why', async () => {
  await expect(
    build(
      host,
      'broken',
      module('environment.systemPackages = [ (pkgs.runCommand "broken" { } "echo the reason; exit 1") ];'),
    ),
  ).rejects.toThrow('the reason');
});
