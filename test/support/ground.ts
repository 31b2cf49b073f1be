/** The cluster of docs/examples/03 as tests write it: its network, its mesh, its keys; and members of it. */
import { namespace, nodeManifest } from './fleet.ts';

export const clusterName = 'demo';

type Spec = { network?: object; [field: string]: unknown };

const object = (kind: string, name: string, spec: object): object => ({
  apiVersion: 'firn.dev/v1alpha1',
  kind,
  metadata: { name, namespace },
  spec,
});

export const clusterManifest = ({ network, ...spec }: Spec = {}, name = clusterName): object =>
  object('NixCluster', name, {
    kubernetes: { version: '1.36' },
    nixpkgs: { url: 'github:NixOS/nixpkgs/nixos-26.05' },
    endpoint: { host: 'test-kube.example.com', port: 6443 },
    network: { meshRef: { name: clusterName }, ...network },
    pkiRef: { name: clusterName },
    ...spec,
  });

export const meshManifest = (spec: object = {}): object => object('WireguardMesh', clusterName, spec);
export const pkiManifest = (spec: object = {}): object => object('ClusterPKI', clusterName, spec);

type Login = Parameters<typeof nodeManifest>[1];

/** A member of the cluster; it is built from the cluster's nixpkgs. */
export const memberManifest = (name: string, host: Login, spec: object = {}): object =>
  nodeManifest(name, host, {
    nixpkgs: undefined,
    clusterRef: { name: clusterName },
    roles: ['worker'],
    ...spec,
  });
