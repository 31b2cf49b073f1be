/** A WireguardMesh in which every field that there is has a valid value, as `full-objects.ts` has other kinds. */
import type { Json } from './hostile-values.ts';
import { publicKeyOf } from './mesh.ts';

type Fields = { [key: string]: Json };

export const fullMesh = (name: string): Fields & { spec: Fields } => ({
  apiVersion: 'firn.dev/v1alpha1',
  kind: 'WireguardMesh',
  metadata: { name, namespace: 'fleet' },
  spec: {
    interface: 'wgkube',
    listenPort: 51_820,
    mtu: 1420,
    persistentKeepalive: '25s',
    presharedKeys: true,
    keyRotation: { every: '2160h', request: '2026-11-21' },
    externalPeers: [
      { name: 'laptop', publicKey: publicKeyOf('laptop'), allowedIPs: ['fd89::10/128', '10.99.0.1/32'] },
      {
        name: 'office',
        publicKey: publicKeyOf('office'),
        allowedIPs: ['192.168.7.0/24'],
        endpoint: { host: 'office.example.com', port: 4500 },
      },
    ],
  },
});

const at = '2026-11-21T10:00:00Z';
const keysOf = (name: string): Json =>
  [1, 2].map((epoch) => ({ epoch, publicKey: publicKeyOf(`${name}/${epoch}`) }));

export const fullMeshStatus: Fields = {
  observedGeneration: 3,
  conditions: [
    {
      type: 'Ready',
      status: 'True',
      observedGeneration: 3,
      lastTransitionTime: at,
      reason: 'Reconciled',
      message: '',
    },
  ],
  summary: 'Rotating',
  epoch: 1,
  rotation: {
    stage: 'Prepare',
    epoch: 2,
    startedAt: at,
    request: '2026-11-21',
    shakenAt: at,
    waitsFor: 'node2 has no key',
  },
  rotatedAt: at,
  request: '2026-11-21',
  nodes: [
    {
      name: 'node1',
      endpoint: '192.0.2.31:51820',
      addresses: ['fd88:1::1', '10.88.1.1'],
      allowedIPs: ['fd88:1::/32', '10.88.1.0/24'],
      keys: keysOf('node1'),
    },
    {
      name: 'node2',
      behindNAT: true,
      addresses: ['fd88:2::1', '10.88.2.1'],
      allowedIPs: ['fd88:2::/32', '10.88.2.0/24'],
      keys: keysOf('node2'),
    },
  ],
  secretName: 'demo-mesh',
  size: 2,
  connected: '1/2',
  pairs: [{ a: 'node1', b: 'node2', state: 'Down', lastHandshake: at, receivedBytes: 1, sentBytes: 2 }],
  pairsAt: at,
  down: [{ a: 'node1', b: 'node2', lastHandshake: at, lookAt: 'whether it runs' }],
};
