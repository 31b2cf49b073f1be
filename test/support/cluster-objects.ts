/** NixClusters and their NixNodes as controllers see them: short to write, and parsed like any other. */
import { NixCluster, NixNode, WireguardMesh } from '../../crds/index.ts';

type Fields = { [field: string]: unknown };

const object = (kind: string, name: string, rest: Fields): Fields => ({
  apiVersion: 'firn.dev/v1alpha1',
  kind,
  metadata: { name, namespace: 'demo', uid: `uid-of-${name}`, resourceVersion: '1' },
  ...rest,
});

export const url = 'github:NixOS/nixpkgs/nixos-26.05';

export function clusterOf(network: Fields = {}, status?: Fields, spec: Fields = {}): NixCluster {
  const given = {
    kubernetes: { version: '1.36' },
    nixpkgs: { url },
    endpoint: { host: 'kube.example.com' },
    network,
    ...spec,
  };
  return NixCluster.parse(object('NixCluster', 'demo', { spec: given, ...(status && { status }) }));
}

export function nodeOf(
  name: string,
  { spec = {}, status, metadata = {} }: { spec?: Fields; status?: Fields; metadata?: Fields } = {},
): NixNode {
  const { metadata: own, ...rest } = object('NixNode', name, {});
  return NixNode.parse({
    ...rest,
    metadata: { ...(own as Fields), ...metadata },
    spec: {
      ssh: {
        host: '192.0.2.31',
        keyRef: { name: 'key' },
        hostKeys: ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI'],
      },
      stateVersion: '26.05',
      clusterRef: { name: 'demo' },
      roles: ['worker'],
      ...spec,
    },
    ...(status && { status }),
  });
}

export const meshOf = (externalPeers: Fields[]): WireguardMesh =>
  WireguardMesh.parse(object('WireguardMesh', 'demo', { spec: { externalPeers } }));
