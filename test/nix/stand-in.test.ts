/** The stand-in refuses what NixOS refuses, in NixOS's words: a test that passes on it must mean something. */
import { evaluateHost, refusalOf } from '../support/stand-in.ts';

test.each([
  [
    'an unknown option',
    'services.nginx.enable = true;',
    "The option `services.nginx' does not exist. Definition values:",
  ],
  [
    'an unknown option in a submodule',
    'systemd.services.a.nope = 1;',
    "The option `systemd.services.a.nope' does not exist.",
  ],
  ['an unknown option behind mkIf false', 'nope = lib.mkIf false 1;', "The option `nope' does not exist."],
  [
    'a wrong type',
    'networking.hostName = 1;',
    "A definition for option `networking.hostName' is not of type `string matching",
  ],
  ['a wrong member', 'networking.firewall.allowedTCPPorts = [ 70000 ];', '16 bit unsigned integer'],
  [
    'two values',
    'time.timeZone = "UTC"; imports = [ { time.timeZone = "Asia/Tokyo"; } ];',
    "The option `time.timeZone' has conflicting",
  ],
  [
    'equal sysctls',
    'boot.kernel.sysctl.a = 1; imports = [ { boot.kernel.sysctl.a = 1; } ];',
    'expected to be unique',
  ],
  [
    'a unit without a suffix',
    'systemd.services.a.after = [ "network" ];',
    'A definition for option `systemd.services.a.after',
  ],
  [
    'a package that is not there',
    'environment.systemPackages = [ pkgs.nonesuch ];',
    "attribute 'nonesuch' missing",
  ],
  ['a user that is neither', 'users.users.a.group = "users";', 'Exactly one of users.users.a.isSystemUser'],
  [
    'a group that is not there',
    'users.users.a = { isSystemUser = true; group = "a"; };',
    'there is no such group',
  ],
  ['no root file system', 'fileSystems = lib.mkForce { };', 'does not specify your root file system'],
  ['filterForward without nftables', 'networking.firewall.filterForward = true;', 'nftables based firewall'],
  ['config beside an option', 'options = { }; time.timeZone = "UTC";', 'has an unsupported attribute `time'],
  ['an import that is not there', 'imports = [ ./nonesuch.nix ];', 'nonesuch.nix'],
])('%s', async (_, body, message) => {
  const said = await refusalOf(`{ lib, pkgs, ... }: { ${body} }`);
  expect(said.replaceAll(/\s+/g, ' ')).toContain(message);
});

test('errors name the file and the value', async () => {
  expect(await refusalOf('{ services.nginx.enable = true; }')).toMatch(
    /- In `.*\/module\.nix': \{ enable = true; \}/,
  );
});

test.each([
  [
    'mkForce over a plain one over mkDefault',
    'lib.mkMerge [ (lib.mkDefault "a") "b" (lib.mkForce "c") ]',
    'c',
  ],
  ['mkIf', 'lib.mkMerge [ (lib.mkIf false "a") (lib.mkIf true "b") ]', 'b'],
  ['mkOverride by number', 'lib.mkMerge [ (lib.mkOverride 900 "a") (lib.mkDefault "b") ]', 'a'],
])('%s', async (_, definition, value) => {
  expect(await evaluateHost(`{ lib, ... }: { time.timeZone = ${definition}; }`, 'config.time.timeZone')).toBe(
    value,
  );
});

test('mkBefore and mkAfter order lines and lists', async () => {
  const module = `{ lib, ... }: {
    networking.extraHosts = lib.mkMerge [ (lib.mkAfter "3") "2" (lib.mkBefore "1") ];
    networking.nameservers = lib.mkMerge [ (lib.mkAfter [ "3" ]) [ "2" ] (lib.mkBefore [ "1" ]) ];
  }`;
  expect(
    await evaluateHost(module, '[ config.networking.extraHosts config.networking.nameservers ]'),
  ).toEqual(['1\n2\n3', ['1', '2', '3']]);
});

test('modules see what others set, and may be functions, sets and paths', async () => {
  const module = `{ config, ... }: {
    imports = [ { networking.domain = "example.org"; } ({ lib, ... }: { networking.search_ = lib.mkIf false 1; }) ];
    networking.extraHosts = config.networking.domain;
  }`;
  expect(await evaluateHost(module.replace('search_', 'hosts'), 'config.networking.extraHosts')).toBe(
    'example.org',
  );
});
