/** Meshes for tests: node N of a dual-stack cluster, with keys that are different for each node and epoch. */
import { createHash } from 'node:crypto';
import { type MeshNode, NixCluster, NixNode, WireguardMesh } from '../../crds/index.ts';

type Mesh = WireguardMesh;
type Spec = Record<string, unknown>;

const metadata = (name: string) => ({
  name,
  namespace: 'demo',
  uid: `uid-${name}`,
  resourceVersion: '1',
  generation: 1,
});

/** A public key by its looks; nobody has the private one. */
export const publicKeyOf = (seed: string): string => createHash('sha256').update(seed).digest('base64');

export const nameOf = (index: number): string => `node${index}`;
export const cidrsOf = (index: number): string[] => [
  `fd88:${index.toString(16)}::/32`,
  `10.${88 + (index >> 8)}.${index & 255}.0/24`,
];
export const addressesOf = (index: number): string[] => [
  `fd88:${index.toString(16)}::1`,
  `10.${88 + (index >> 8)}.${index & 255}.1`,
];
const underlayOf = (index: number): string => `192.0.${2 + (index >> 8)}.${index & 255}`;

export function meshNodeOf(
  index: number,
  given: { behindNAT?: true; epochs?: readonly number[] } = {},
): MeshNode {
  const name = nameOf(index);
  return {
    name,
    ...(given.behindNAT ? { behindNAT: true } : { endpoint: `${underlayOf(index)}:51820` }),
    addresses: addressesOf(index),
    allowedIPs: cidrsOf(index),
    keys: (given.epochs ?? [1]).map((epoch) => ({ epoch, publicKey: publicKeyOf(`${name}/${epoch}`) })),
  };
}

export const meshWith = (
  nodes: readonly MeshNode[],
  given: { spec?: Spec; status?: Partial<Mesh['status']> } = {},
): Mesh =>
  WireguardMesh.parse({
    apiVersion: 'firn.dev/v1alpha1',
    kind: 'WireguardMesh',
    metadata: metadata('demo'),
    spec: given.spec ?? {},
    status: { epoch: 1, nodes, ...given.status },
  });

/** Members are the nodes of the given numbers. */
export const clusterOf = (indexes: readonly number[], spec: Spec = {}): NixCluster =>
  NixCluster.parse({
    apiVersion: 'firn.dev/v1alpha1',
    kind: 'NixCluster',
    metadata: metadata('demo'),
    spec: {
      kubernetes: { version: '1.36' },
      nixpkgs: { url: 'github:NixOS/nixpkgs/nixos-26.05' },
      endpoint: { host: 'kube.example.com', port: 6443 },
      network: {
        meshRef: { name: 'demo' },
        pods: [
          { cidr: 'fd88::/16', nodePrefix: 32 },
          { cidr: '10.88.0.0/13', nodePrefix: 24 },
        ],
        services: ['10.88.0.0/24'],
      },
      ...spec,
    },
    status: {
      nodes: indexes.map((index) => ({
        name: nameOf(index),
        uid: `uid-${nameOf(index)}`,
        index,
        podCIDRs: cidrsOf(index),
        addresses: addressesOf(index),
        underlayAddresses: [underlayOf(index)],
      })),
    },
  });

/** A member that was observed, unless `status` says otherwise. */
export const nodeOf = (index: number, given: { spec?: Spec; status?: Spec; deleted?: true } = {}): NixNode =>
  NixNode.parse({
    apiVersion: 'firn.dev/v1alpha1',
    kind: 'NixNode',
    metadata: {
      ...metadata(nameOf(index)),
      ...(given.deleted
        ? { deletionTimestamp: '2026-11-21T12:00:00Z', finalizers: ['firn.dev/nixnode'] }
        : {}),
    },
    spec: {
      clusterRef: { name: 'demo' },
      roles: ['worker'],
      ssh: {
        host: underlayOf(index),
        keyRef: { name: 'deploy-key' },
        hostKeys: ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI'],
      },
      stateVersion: '26.05',
      ...given.spec,
    },
    status: { lastObserved: '2026-11-21T12:00:00Z', ...given.status },
  });
