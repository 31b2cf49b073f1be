import type { Vm } from './start.ts';

/** Node 2 of a mesh: a network namespace of the machine, set up by hand with wg(8) and ip(8). Node 1 is the machine. */
export type NodeByHand = {
  /** A device for an epoch, whose peer is node 1; returns its public key. */
  meet(epoch: number, keyOfNode1: string): Promise<string>;
  /** Sends by the device of this epoch from now on. */
  turnTo(epoch: number): Promise<unknown>;
  forget(epoch: number): Promise<unknown>;
};

/** Of node 2, inside of the mesh. */
export const addresses = { v4: '10.88.2.1', v6: 'fd88:2::1' };

export const portOf = (epoch: number): number => (epoch % 2 === 1 ? 51820 : 51821);

/** Each epoch goes by another family. */
export const endpointAt = (node: '1' | '2', epoch: number): string =>
  `${epoch % 2 === 1 ? `192.0.2.${node}` : `[2001:db8::${node}]`}:${portOf(epoch)}`;

export async function nodeByHand(vm: Vm, presharedKey: string): Promise<NodeByHand> {
  await vm.run(`set -eu
    ip netns add other
    ip link add under type veth peer name under netns other
    ip addr add 192.0.2.1/24 dev under
    ip addr add 2001:db8::1/64 dev under nodad
    ip link set under up
    ip -n other addr add 192.0.2.2/24 dev under
    ip -n other addr add 2001:db8::2/64 dev under nodad
    ip -n other link set under up
    ip -n other link set lo up`);
  return {
    async meet(epoch, keyOfNode1) {
      const device = `by-hand-${epoch}`;
      const { stdout } = await vm.run(`set -eu
umask 077
wg genkey >/run/other.key
cat >/run/other.psk <<'END'
${presharedKey}
END
inside() { ip netns exec other "$@"; }
inside ip link add ${device} type wireguard
inside wg set ${device} private-key /run/other.key listen-port ${portOf(epoch)} peer ${keyOfNode1} \
  preshared-key /run/other.psk endpoint '${endpointAt('1', epoch)}' persistent-keepalive 1 \
  allowed-ips fd88:1::/32,10.88.1.0/24
inside ip addr add ${addresses.v6}/128 dev ${device} nodad
inside ip addr add ${addresses.v4}/32 dev ${device}
inside ip link set ${device} up
rm /run/other.key /run/other.psk
inside wg show ${device} public-key`);
      return stdout.trim();
    },
    turnTo: (epoch) =>
      vm.run(`set -eu
        ip -n other route replace 10.88.0.0/16 dev by-hand-${epoch} src ${addresses.v4}
        ip -n other -6 route replace fd88::/16 dev by-hand-${epoch} src ${addresses.v6}`),
    forget: (epoch) => vm.run(`ip -n other link del by-hand-${epoch}`),
  };
}
