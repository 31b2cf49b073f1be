import { evaluateHost, refusalOf } from '../support/stand-in.ts';

/** What the operator says to a member of a cluster, dual stack, with a mesh. */
const network = `nodeAddresses = [ "fd88:1::1/32" "10.88.1.1/24" ]; podNetworks = [ "fd88::/16" "10.88.0.0/16" ];
  serviceNetworks = [ "10.88.0.0/24" ];`;

const member = (more = '', ofNetwork = network): string => `{ lib, pkgs, ... }: {
  firn.host = { enable = true; ssh.authorizedKeys = [ "ssh-ed25519 AAAA" ]; };
  firn.network = { enable = true; ${ofNetwork} };
  imports = [ { firn.mesh.enable = lib.mkDefault true; } { ${more} } ];
}`;

const look = (module: string, expression: string) => evaluateHost(module, `checked (${expression})`);
const rules = (which: 'Input' | 'Forward', module: string) =>
  look(module, `config.networking.firewall.extra${which}Rules`) as Promise<string>;
const chains = (module: string) =>
  look(
    module,
    `(import ${import.meta.dirname}/../../nix/modules/firewall/rules.nix {
      inherit lib; inherit (config.firn) mesh network; cfg = config.firn.firewall;
    }).chains`,
  ) as Promise<string>;

test('importing the modules without enabling anything changes nothing', async () => {
  const seen = await look(
    '{ }',
    '[ config.systemd.network.netdevs config.boot.kernel.sysctl config.networking.nftables.enable (config.systemd.services ? firn-mesh) ]',
  );
  expect(seen).toEqual([{}, {}, false, false]);
});

test('the bridge has the node’s addresses at once, and nothing else', async () => {
  const text = await look(member(), 'config.environment.etc."systemd/network/10-brkube.network".text');
  expect(text).toBe(
    '[Match]\nName=brkube\n\n[Link]\nRequiredForOnline=false\n\n' +
      '[Network]\nConfigureWithoutCarrier=true\nDHCP=no\nIPv6AcceptRA=false\nLinkLocalAddressing=no\n\n' +
      '[Address]\nAddress=fd88:1::1/32\nDuplicateAddressDetection=none\n\n' +
      '[Address]\nAddress=10.88.1.1/24\nDuplicateAddressDetection=none\n\n' +
      '[Address]\nAddress=fe80::1/64\nDuplicateAddressDetection=none\n\n',
  );
});

test('without a bridge there is none, and pods are known by their addresses', async () => {
  const module = member('firn.network.bridge = false;');
  expect(await look(module, 'config.systemd.network.netdevs')).toEqual({});
  expect(await rules('Forward', module)).not.toContain('brkube');
  expect(await chains(module)).not.toContain('brkube');
});

test('forwarding gives way to nothing but a definition against it', async () => {
  const sysctl = 'config.boot.kernel.sysctl."net.ipv4.conf.all.forwarding"';
  expect(await look(member('boot.kernel.sysctl."net.ipv4.conf.all.forwarding" = 1;'), sysctl)).toBe(1);
  expect(await refusalOf(member('boot.kernel.sysctl."net.ipv6.conf.all.forwarding" = false;'))).toContain(
    'firn.network needs forwarding between interfaces',
  );
});

test('networkd leaves the mesh’s devices and others’ routes alone', async () => {
  const seen = await look(
    member('firn.mesh.interface = "wg9";'),
    '[ config.environment.etc."systemd/network/10-firn-mesh.network".text config.environment.etc."systemd/networkd.conf".text ]',
  );
  expect(seen).toEqual([
    '[Match]\nName=wg9 wg9-b\n\n[Link]\nUnmanaged=true\n\n[Network]\n\n',
    '[Network]\nManageForeignRoutes=false\nManageForeignRoutingPolicyRules=false\n\n',
  ]);
});

test('each unit that looks at fleet data is told of changes', async () => {
  const text = (await look(
    member(
      'firn.network.routing = lib.mkForce "Direct"; firn.dns = { enable = true; domain = "k8s.internal"; };',
    ),
    'config.environment.etc."firn/data-units".text',
  )) as string;
  expect(text.trim().split('\n').sort()).toEqual([
    'hosts reload firn-firewall.service',
    'node-addresses reload firn-firewall.service',
    'peers.json reload firn-mesh.service',
    'routes reload firn-routes.service',
  ]);
});

test('the mesh’s unit applies and reloads by one program, and a switch reloads it', async () => {
  const text = (await look(member(), 'config.systemd.units."firn-mesh.service".text')) as string;
  const [start] = /(?<=^ExecStart=).*/m.exec(text)!;
  expect(/(?<=^ExecReload=).*/m.exec(text)![0]).toBe(start);
  expect(text).toContain('X-ReloadIfChanged=true');
  expect(text).toContain('FIRN_MESH_DEVICES=wgkube wgkube-b');
  expect(await look(member(), 'config.networking.firewall.allowedUDPPorts')).toEqual([51820, 51821]);
});

test('what is open to nodes alone is closed to pods, which leave with a node’s address', async () => {
  const open = `firn.firewall = { fromNodes.tcp = [ 2379 10250 ]; fromPods.tcp = [ 10250 ]; fromAnywhere.tcp = [ 6443 ]; };`;
  expect(await rules('Input', member(open))).toBe(
    `meta mark & 0x40 == 0x40 tcp dport { 2379, 10250 } accept
ip6 saddr fd88::/16 tcp dport { 10250 } accept
ip saddr 10.88.0.0/16 tcp dport { 10250 } accept
meta mark & 0x40 == 0x40 tcp dport { 10250 } accept
`,
  );
  const guarded = 'ip saddr 10.88.0.0/16 ip daddr @nodes4 tcp dport { 2379 } drop';
  expect(await chains(member(open))).toContain(guarded);
  const untranslated = 'firn.network = { masquerade = false; routing = "Direct"; };';
  expect(await chains(member(`${open} ${untranslated}`))).not.toContain(guarded);
  expect(await look(member(open), 'config.networking.firewall.allowedTCPPorts')).toEqual([22, 6443]);
});

test('translation is per family, and spares the cluster', async () => {
  expect(await chains(member())).toContain(
    `chain translation {
type nat hook postrouting priority srcnat; policy accept;
oifname { "brkube", "wgkube", "wgkube-b" } return
ip6 daddr fd88::/16 return
ip daddr 10.88.0.0/16 return
ip daddr 10.88.0.0/24 return
ip6 saddr fd88::/16 masquerade
ip saddr 10.88.0.0/16 masquerade
}`,
  );
  const without = 'firn.network.masquerade = false;';
  expect(await chains(member(without))).toContain(
    'ip6 saddr fd88::/16 ip6 daddr @nodes6 masquerade\nip saddr 10.88.0.0/16 ip daddr @nodes4 masquerade\n',
  );
  expect(await chains(member(`${without} firn.network.routing = "Direct";`))).not.toContain('masquerade');
});

test('one family: the other does not come from the bridge', async () => {
  const only = 'nodeAddresses = [ "10.88.1.1/24" ]; podNetworks = [ "10.88.0.0/16" ];';
  const text = await chains(member('', only));
  expect(text).toContain('iifname "brkube" ip saddr != { 10.88.1.1/24 } drop');
  expect(text).toContain('iifname "brkube" ip6 saddr != { fe80::/10, :: } drop');
});

test('who may come in from outside is added for its family', async () => {
  const module = member('firn.network.allowInbound = [ "2001:db8::/32" "198.51.100.0/24" ];');
  expect(await rules('Forward', module)).toContain(
    'ip6 saddr 2001:db8::/32 ip6 daddr fd88::/16 accept\nip saddr 198.51.100.0/24 ip daddr 10.88.0.0/16 accept\n',
  );
});

test('users for the roles that a host plays', async () => {
  const users = (roles: string) =>
    look(
      member(`firn.kubernetes.roles = [ ${roles} ];`),
      'builtins.filter (name: lib.hasAttrByPath [ name ] config.users.users) [ "etcd" "kubernetes" "coredns" ]',
    );
  expect(await users('')).toEqual([]);
  expect(await users('"frontend"')).toEqual(['coredns']);
  expect(await users('"worker"')).toEqual(['kubernetes', 'coredns']);
  expect(await users('"control-plane"')).toEqual(['etcd', 'kubernetes', 'coredns']);
});

test('the resolver asks the node itself for the domain', async () => {
  const module = member('firn.dns = { enable = true; domain = "k8s.internal"; };');
  expect(await look(module, 'config.environment.etc."systemd/dns-delegate.d/firn.dns-delegate".text')).toBe(
    '[Delegate]\nDNS=fd88:1::1\nDNS=10.88.1.1\nDomains=k8s.internal\n',
  );
});

describe('refused, with what to do', () => {
  test.each([
    ['a mesh that is not there', 'firn.mesh.enable = false;', network, 'firn.network.routing is "Mesh"'],
    ['no networks', '', '', 'firn.network.nodeAddresses must have one address for each'],
    [
      'another order',
      '',
      network.replace('"fd88::/16" "10.88.0.0/16"', '"10.88.0.0/16" "fd88::/16"'),
      'in the same order',
    ],
    ['a flushed ruleset', 'networking.nftables.flushRuleset = true;', network, 'flushRuleset is true'],
    ['no firewall', 'networking.firewall.enable = false;', network, 'networking.firewall.enable is false'],
    [
      'a strict reverse path',
      'networking.firewall.checkReversePath = "strict";',
      network,
      'checkReversePath is strict',
    ],
    [
      'text that is no address',
      '',
      `nodeAddresses = [ "10.88.1.1/24; drop" ]; podNetworks = [ "10.88.0.0/16" ];`,
      'is not of type',
    ],
    ['a long name of a device', 'firn.mesh.interface = "wireguard-mesh";', network, 'is not of type'],
    ['a domain that is text', 'firn.dns = { enable = true; domain = "a.b {"; };', network, 'is not of type'],
  ])('%s', async (_, more, ofNetwork, message) => {
    expect(await refusalOf(member(more, ofNetwork))).toContain(message);
  });
});
