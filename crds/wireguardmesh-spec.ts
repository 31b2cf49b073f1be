/** What users say of a mesh: its device, its keys, and who else takes part. */
import { z } from 'zod';
import { hostOrAddress, network } from './address.ts';
import { integer } from './common.ts';
import { duration } from './duration.ts';
import { atomicList, mapList, matches, text, withRules, withTransitions } from './rules.ts';
import { wireguardKey } from './wireguard-key.ts';

const endpoint = z.object({
  host: hostOrAddress().describe('Host name or address that nodes dial.'),
  port: integer(1, 65_535).default(51_820).describe('UDP port that it listens on.'),
});

const externalPeer = z.object({
  name: withRules(text({ min: 1, max: 52 }), [
    matches(/^[a-z0-9]([-a-z0-9]{0,50}[a-z0-9])?$/, 'must be a DNS label of at most 52 characters'),
  ]).describe('What it is called. Not the name of a node.'),
  publicKey: wireguardKey().describe('Its public key.'),
  allowedIPs: atomicList(network(), 16)
    .min(1)
    .describe('Addresses that are behind it. They overlap nothing of the cluster, and no other peer.'),
  endpoint: endpoint.optional().describe('Where nodes dial it. Absent: it dials the nodes.'),
});

const keyRotation = z.object({
  every: duration({ min: '24h', max: '87600h' })
    .optional()
    .describe('How long node keys serve, such as 2160h. Absent: until a rotation is asked for.'),
  request: text({ max: 256 })
    .optional()
    .describe(
      'Any text. A new one starts one rotation; one that is there when the object is created starts none.',
    ),
});

/**
 * Who else listens on a node: DNS, etcd, the API server, VXLAN of Flannel, kubelet and the health check of kube-proxy;
 * then the range of NodePorts. Some of them are TCP: a port that serves two protocols is not worth the confusion.
 */
const taken = [53, 2379, 2380, 6443, 8472, 10_250, 10_256] as const;
const nodePorts = { first: 30_000, last: 32_767 } as const;

const isFree = (port: number): boolean =>
  !taken.some((used) => used === port) && (port < nodePorts.first || port > nodePorts.last);

const listenPort = () =>
  withRules(integer(1, 65_534), [
    {
      cel: `[self, self + 1].all(port, !(port in [${taken.join(', ')}]) && (port < ${nodePorts.first} || port > ${nodePorts.last}))`,
      message: `must leave the ports of Kubernetes alone, and so must the next one, which serves while keys are rotated: ${taken.join(', ')} and ${nodePorts.first}-${nodePorts.last}`,
      test: (value) => isFree(value) && isFree(value + 1),
    },
  ]);

const deviceName = () =>
  withRules(text({ min: 1, max: 13 }), [
    matches(
      /^[a-z][a-z0-9_-]{0,12}$/,
      'must be the name of a device: a letter, then letters, digits, "-" and "_"',
    ),
    {
      cel: "!(self in ['lo', 'brkube', 'all', 'default'])",
      message: 'is the name of another device, or means all of them',
      test: (value) => !['lo', 'brkube', 'all', 'default'].includes(value),
    },
  ]);

export const wireguardMeshSpec = withTransitions(
  withRules(
    z.object({
      interface: deviceName()
        .default('wgkube')
        .describe(
          'Name of the device on every node. While keys are rotated there is a second one, with `-b` after it.',
        ),
      listenPort: listenPort()
        .default(51_820)
        .describe('UDP port on every node. While keys are rotated the next one is used, too: open both.'),
      mtu: integer(1280, 8920)
        .optional()
        .describe('MTU of the device, in bytes. Absent: derived from the path on every node.'),
      persistentKeepalive: duration({ min: '5s', max: '60s' })
        .default('25s')
        .describe(
          'How often a pair says something although there is nothing to say, so that NAT keeps the way open.',
        ),
      presharedKeys: z
        .boolean()
        .default(true)
        .describe('A preshared key for each pair of nodes, derived from one secret of the mesh.'),
      keyRotation: keyRotation.prefault({}).describe('New keys for all nodes, without losing the tunnel.'),
      externalPeers: mapList(externalPeer, 'name', 32)
        .default([])
        .describe("Peers that are no nodes, such as an administrator's laptop."),
    }),
    [
      {
        cel: 'self.externalPeers.all(peer, self.externalPeers.exists_one(other, other.publicKey == peer.publicKey))',
        message: 'two external peers have the same publicKey: each needs a key of its own',
        fieldPath: '.externalPeers',
        test: ({ externalPeers }) =>
          new Set(externalPeers.map(({ publicKey }) => publicKey)).size === externalPeers.length,
      },
    ],
  ),
  [
    {
      cel: 'self.interface == oldSelf.interface',
      message: 'interface is immutable: firewalls and routes of every node name it',
    },
    {
      cel: 'self.presharedKeys == oldSelf.presharedKeys',
      message: 'presharedKeys is immutable: a pair of which one side has changed loses its tunnel',
    },
  ],
);

export type WireguardMeshSpec = z.output<typeof wireguardMeshSpec>;
export type ExternalPeer = WireguardMeshSpec['externalPeers'][number];
