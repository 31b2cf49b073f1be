/** Members of a cluster's network without an operator: systems with Firn's modules, and fleet data written by hand. */
import { readFirnModules } from '../../controllers/lib/nix/modules.ts';
import { activate, build } from './generations.ts';
import type { TestHost } from './hosts/start.ts';
import { keepSecret } from './secrets/registry.ts';

export const podNetworks = ['fd88::/16', '10.88.0.0/16'];
export const domain = 'k8s.internal';

export type Member = {
  host: TestHost;
  /** From 1. */
  index: number;
  addresses: string[];
  podCIDRs: string[];
};

export const memberOf = (host: TestHost, position: number): Member => {
  const index = position + 1;
  return {
    ...{ host, index },
    addresses: [`fd88:${index.toString(16)}::1`, `10.88.${index}.1`],
    podCIDRs: [`fd88:${index.toString(16)}::/32`, `10.88.${index}.0/24`],
  };
};

/** Switches a host to release 0 with Firn's modules, the values of a member, and `more`. */
export async function deployMember(member: Member, more = ''): Promise<void> {
  const { host, index } = member;
  const name = `member-${Date.now()}`;
  for (const [path, text] of readFirnModules()) {
    const file = `/root/generations/${name}/flake/firn/${path}`;
    await host.run(`mkdir -p "$(dirname ${file})" && cat >${file}`, { input: text });
  }
  const module = `{ lib, pkgs, ... }: {
    imports = [ ./firn { ${more} } ];
    firn.network = {
      enable = true;
      nodeAddresses = [ "fd88:${index.toString(16)}::1/32" "10.88.${index}.1/24" ];
      podNetworks = [ ${podNetworks.map((network) => `"${network}"`).join(' ')} ];
      serviceNetworks = [ "10.88.0.0/24" ];
    };
    firn.mesh = { enable = lib.mkDefault true; implementation = "userspace"; };
    firn.dns = { enable = true; domain = "${domain}"; };
  }`;
  const { code, said } = await activate(host, await build(host, name, module), 'test');
  if (code !== 0) throw new Error(`${host.name}: ${said}`);
}

/** Writes files of fleet data in one step, as a flip of `current` does, and reloads what looks at them, if it is there. */
export async function deliver(member: Member, files: Record<string, string>): Promise<void> {
  const folder = `/run/firn/by-hand-${performance.now()}`;
  const { host } = member;
  await host.run(
    `umask 022; mkdir -p ${folder} /run/firn/current; cp -p /run/firn/current/data/* ${folder}/ 2>/dev/null || true`,
  );
  for (const [name, text] of Object.entries(files))
    await host.run(`umask 022; cat >${folder}/${name}`, { input: text });
  await host.run(
    `ln -sfn ${folder} /run/firn/current/data.new && mv -T /run/firn/current/data.new /run/firn/current/data`,
  );
  const units = (await host.run('cat /etc/firn/data-units 2>/dev/null || true')).stdout
    .split('\n')
    .map((line) => line.split(' '));
  for (const [file = '', verb, unit] of units)
    if (Object.hasOwn(files, file)) await host.run(`systemctl ${verb} ${unit}`);
}

export type Epoch = { epoch: number; active: boolean };

export type MeshShape = {
  epochs: readonly Epoch[];
  /** What `from` dials `to` at; null: never. Default: IPv4 for odd epochs, IPv6 for even ones. */
  endpoint?: (from: Member, to: Member, port: number) => string | null;
  presharedKeys?: boolean;
  mtu?: number;
};

const deviceOf = (epoch: number) => (epoch % 2 === 1 ? 'wgkube' : 'wgkube-b');
const portOf = (epoch: number) => 51820 + ((epoch + 1) % 2);

/**
 * One family for each device: wireguard-go cuts an IPv6 address off after four bytes when it sent to an IPv4 one before
 * (its pool of addresses keeps their length).
 */
const dialled: NonNullable<MeshShape['endpoint']> = (_, to, port) =>
  port === portOf(1) ? `${to.host.address}:${port}` : `[${to.host.address6}]:${port}`;

/** `peers.json` for a member; `keys` are all members' public keys by name and epoch. */
export function peersFile(
  self: Member,
  members: readonly Member[],
  keys: PublicKeys,
  shape: MeshShape,
): string {
  const epochs = shape.epochs.map(({ epoch, active }) => ({
    ...{ epoch, device: deviceOf(epoch), listenPort: portOf(epoch), active },
    peers: members
      .filter((member) => member !== self && keys[member.host.name]?.[epoch] !== undefined)
      .map((member) => ({
        name: member.host.name,
        publicKey: keys[member.host.name]![epoch],
        endpoint: (shape.endpoint ?? dialled)(self, member, portOf(epoch)),
        keepalive: 25,
        allowedIPs: member.podCIDRs,
        preshared: shape.presharedKeys === true,
      })),
  }));
  const { addresses } = self;
  return JSON.stringify(
    { interface: 'wgkube', addresses, networks: podNetworks, mtu: shape.mtu ?? null, epochs },
    null,
    1,
  );
}

export type PublicKeys = Record<string, Record<number, string>>;

export async function publicKeys(members: readonly Member[]): Promise<PublicKeys> {
  const script = `cd /var/lib/firn/wireguard && for f in *.pub; do echo "$(basename "$f" .pub) $(cat "$f")"; done`;
  const found: PublicKeys = {};
  for (const { host } of members) {
    const { stdout } = await host.run(script);
    found[host.name] = Object.fromEntries(
      stdout
        .trim()
        .split('\n')
        .map((line) => line.split(' ') as [string, string]),
    );
    const secret = await host.run('cat /var/lib/firn/wireguard/*.key');
    for (const key of secret.stdout.trim().split('\n'))
      keepSecret(`mesh key of ${host.name}`, Buffer.from(key));
  }
  return found;
}

/** Gives every member the same view of all; first keys of new epochs, then peers. */
export async function mesh(
  members: readonly Member[],
  shape: MeshShape,
  known: PublicKeys = {},
): Promise<PublicKeys> {
  await Promise.all(members.map((m) => deliver(m, { 'peers.json': peersFile(m, members, known, shape) })));
  const keys = await publicKeys(members);
  await Promise.all(members.map((m) => deliver(m, { 'peers.json': peersFile(m, members, keys, shape) })));
  return keys;
}

export const hostsFile = (members: readonly Member[]): string =>
  members
    .flatMap(({ host, addresses }) => addresses.map((a) => `${a} ${host.name}.${domain} ${host.name}\n`))
    .join('');

export const nodeAddresses = (self: Member, members: readonly Member[]): string =>
  members
    .filter((member) => member !== self)
    .flatMap(({ host }) => [host.address, host.address6])
    .sort()
    .map((address) => `${address}\n`)
    .join('');
