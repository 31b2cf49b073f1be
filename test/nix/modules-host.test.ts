import { kubernetesHost } from '../support/kubernetes-host.ts';
import { evaluateHost, refusalOf } from '../support/stand-in.ts';

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f firn';
const host = (ssh: string, rest = '') =>
  `{ lib, ... }: { firn.host = { enable = true; ssh = { authorizedKeys = [ "${key}" ]; ${ssh} }; }; ${rest} }`;

test('without firn.host.enable the modules change nothing', async () => {
  const traces = `{
    units = builtins.attrNames (lib.filterAttrs (name: _: lib.hasPrefix "firn" name) config.systemd.units);
    files = builtins.filter (lib.hasPrefix "firn") (builtins.attrNames config.environment.etc);
    keys = config.users.users.root.openssh.authorizedKeys.keys;
    features = config.nix.settings.experimental-features or [ ];
  }`;
  expect(await evaluateHost('{ }', traces)).toEqual({ units: [], files: [], keys: [], features: [] });
});

test('a managed host evaluates without a warning', async () => {
  expect(await evaluateHost(host(''), 'checked warnings')).toEqual([]);
});

describe('the way in', () => {
  test('root: the key, sshd and its port', async () => {
    const way = `checked {
      inherit (config.services.openssh) enable ports;
      inherit (config.networking.firewall) allowedTCPPorts;
      root = config.services.openssh.settings.PermitRootLogin;
      keys = config.environment.etc."ssh/authorized_keys.d/root".text;
    }`;
    expect(await evaluateHost(host(''), way)).toEqual({
      enable: true,
      ports: [22],
      allowedTCPPorts: [22],
      root: 'prohibit-password',
      keys: `${key}\n`,
    });
  });

  test('another port is added to those that a module sets', async () => {
    const module = host(
      'port = 2222;',
      'services.openssh.ports = [ 22 ]; services.openssh.openFirewall = false;',
    );
    const ports = 'checked [ config.services.openssh.ports config.networking.firewall.allowedTCPPorts ]';
    const [listening, open] = (await evaluateHost(module, ports)) as number[][];
    expect(new Set(listening)).toEqual(new Set([22, 2222]));
    expect(open).toEqual([2222]);
  });

  test('a firewall that is the user’s own is left alone', async () => {
    const module = host(
      'openFirewall = false;',
      'services.openssh.openFirewall = false; networking.firewall.interfaces.wg0.allowedTCPPorts = [ 22 ];',
    );
    expect(await evaluateHost(module, 'checked config.networking.firewall.allowedTCPPorts')).toEqual([]);
  });

  test('another user is made, and becomes root without a password, whatever other rules say', async () => {
    const module = host(
      'user = "deploy";',
      'security.sudo.extraRules = [ { users = [ "deploy" ]; commands = [ "ALL" ]; } ];',
    );
    const user = `checked {
      inherit (config.users.users.deploy) isNormalUser home openssh;
      sudoers = config.environment.etc.sudoers.text;
      trusted = config.nix.settings.trusted-users;
    }`;
    const found = (await evaluateHost(module, user)) as { sudoers: string; trusted: string[] };
    expect(found).toMatchObject({
      isNormalUser: true,
      home: '/home/deploy',
      openssh: { authorizedKeys: { keys: [key] } },
    });
    expect(found.trusted).toContain('deploy');
    expect(found.sudoers.trim().split('\n').at(-1)).toBe('deploy ALL=(ALL:ALL) NOPASSWD: ALL');
  });

  test('a system user stays one', async () => {
    const module = host(
      'user = "deploy";',
      'users.users.deploy = { isSystemUser = true; group = "deploy"; }; users.groups.deploy = { };',
    );
    expect(await evaluateHost(module, 'checked config.users.users.deploy.isNormalUser')).toBe(false);
  });
});

describe('what would lock the operator out is refused', () => {
  test.each([
    [
      'no key',
      '',
      'imports = [ { firn.host.ssh.authorizedKeys = lib.mkForce [ ]; } ];',
      'firn.host.ssh.authorizedKeys is empty',
    ],
    [
      'no sshd',
      '',
      'services.openssh.enable = lib.mkForce false;',
      'services.openssh.enable is forced to false',
    ],
    [
      'another port',
      '',
      'services.openssh.ports = lib.mkForce [ 2222 ];',
      'services.openssh.ports is forced to 2222',
    ],
    [
      'a closed port',
      '',
      'networking.firewall.allowedTCPPorts = lib.mkForce [ 80 ];',
      'networking.firewall.allowedTCPPorts is forced to a list without 22',
    ],
    [
      'no root login',
      '',
      'services.openssh.settings.PermitRootLogin = "no";',
      'services.openssh.settings.PermitRootLogin is "no"',
    ],
    [
      'no keys accepted',
      '',
      'services.openssh.settings.PubkeyAuthentication = "no";',
      'services.openssh.settings.PubkeyAuthentication is off',
    ],
    ['others only', '', 'services.openssh.settings.AllowUsers = [ "ann" ];', 'AllowUsers does not have root'],
    ['not root', '', 'services.openssh.settings.DenyUsers = [ "root" ];', 'DenyUsers has root'],
    ['no sudo', 'user = "deploy";', 'security.sudo.enable = false;', 'security.sudo.enable is false'],
    ['no Nix', '', 'nix.enable = false;', 'nix.enable is false'],
  ])('%s', async (_, ssh, rest, message) => {
    expect(await refusalOf(host(ssh, rest))).toContain(message);
  });

  test.each(['AllowTcpForwarding = "no"', 'AllowTcpForwarding = "remote"', 'DisableForwarding = true'])(
    'no way to the API of a control-plane node: %s',
    async (setting) => {
      const settings = `services.openssh.settings.${setting};`;
      const member = (roles: string): string =>
        kubernetesHost({
          roles,
          more: `firn.host = { enable = true; ssh.authorizedKeys = [ "${key}" ]; }; ${settings}`,
        });
      expect(await refusalOf(member('"control-plane"'))).toContain('forbids TCP forwarding');
      expect(await evaluateHost(member('"worker"'), 'checked true')).toBe(true);
    },
  );

  test('a plain definition against ours is a conflict that names both files', async () => {
    const said = await refusalOf(host('', 'services.openssh.enable = false;'));
    expect(said).toContain("The option `services.openssh.enable' has conflicting definition values:");
    expect(said).toMatch(/- In `.*nix\/modules\/ssh\.nix': true/);
    expect(said).toMatch(/- In `.*module\.nix': false/);
  });

  test('a user that could not be written into a file', async () => {
    const said = await refusalOf(host('user = "root ALL=(ALL) ALL";'));
    expect(said).toContain("A definition for option `firn.host.ssh.user' is not of type");
  });
});

test('the unit for secrets comes before all that could need one, and no switch touches it', async () => {
  const text = (await evaluateHost(
    host(''),
    'checked (builtins.unsafeDiscardStringContext config.systemd.units."firn-secrets.service".text)',
  )) as string;
  expect(
    text
      .replaceAll(/\/nix\/store\/[0-9a-z]{32}-/g, '/nix/store/…-')
      .replace(/^Environment=.*$/m, 'Environment=…'),
  ).toBe(
    `[Unit]
Before=network-pre.target systemd-networkd.service sysinit.target shutdown.target
ConditionPathExists=/var/lib/firn/host
Conflicts=shutdown.target
DefaultDependencies=false
Description=Secrets of the deployed release
RequiresMountsFor=/var/lib/firn
RequiresMountsFor=/var/lib/systemd
Wants=network-pre.target
X-StopOnRemoval=false

[Service]
Environment=…
X-RestartIfChanged=false
X-StopIfChanged=false
ExecStart=/bin/sh /var/lib/firn/host boot
RemainAfterExit=true
TimeoutStartSec=90s
Type=oneshot
`,
  );
});

test('formats.json says what the system reads', async () => {
  const text = (await evaluateHost(
    host(''),
    'checked config.environment.etc."firn/formats.json".text',
  )) as string;
  expect(JSON.parse(text)).toEqual({ data: [1], secrets: [1] });
});
