/** A NixCluster in which every field that there is has a valid value, as `full-objects.ts` has other kinds. */
import type { Json } from './hostile-values.ts';

type Fields = { [key: string]: Json };

const nixpkgs: Json = {
  url: 'github:NixOS/nixpkgs/nixos-26.05',
  rev: '0123456789abcdef0123456789abcdef01234567',
  narHash: 'sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=',
  refresh: '2026-11-21',
};

export const fullCluster = (name: string): Fields & { spec: Fields } => ({
  apiVersion: 'firn.dev/v1alpha1',
  kind: 'NixCluster',
  metadata: { name, namespace: 'fleet' },
  spec: {
    kubernetes: { version: '1.36', nixpkgs },
    nixpkgs,
    endpoint: { host: 'kube.example.com', port: 443 },
    network: {
      domain: 'k8s.example.com',
      pods: [
        { cidr: 'fd88::/16', nodePrefix: 32 },
        { cidr: '10.88.0.0/16', nodePrefix: 24 },
      ],
      services: ['10.88.0.0/24', 'fd88:0:1::/112'],
      nodePortAddresses: ['192.0.2.0/24'],
      cni: 'Bridge',
      routing: 'Direct',
      masquerade: false,
      allowInbound: ['2001:db8::/32'],
    },
    datastore: { type: 'SQLite', compactionInterval: '5m' },
    controlPlane: {
      taint: true,
      encryptionAtRest: 'None',
      apiServer: { extraArgs: { 'audit-log-maxage': '30' } },
      controllerManager: { extraArgs: { v: '2' } },
      scheduler: { extraArgs: { v: '4' } },
    },
    runtime: 'Containerd',
    kubelet: { failSwapOn: false, memorySwap: { swapBehavior: 'LimitedSwap' }, maxPods: 60 },
    access: 'Direct',
    pkiRef: { name: 'pki' },
    rollout: {
      maxUnavailable: 2,
      drain: { enabled: false, timeout: '10m', podDisruptionBudgets: 'Ignore' },
    },
    deletionPolicy: 'Reset',
  },
});

export const fullClusterStatus: Fields = {
  observedGeneration: 3,
  conditions: [
    {
      type: 'Ready',
      status: 'True',
      observedGeneration: 3,
      lastTransitionTime: '2026-11-21T10:00:00Z',
      reason: 'Reconciled',
      message: '',
    },
  ],
  summary: 'Healthy',
  version: 'v1.36.1',
  members: '1/1',
  endpoint: 'https://kube.example.com:443',
  nodes: [
    {
      name: 'node1',
      uid: '0e7c1c6e-2c4c-4a2f-8b7e-0d7b8c1f0d3a',
      index: 1,
      roles: ['control-plane'],
      podCIDRs: ['fd88:1::/32', '10.88.1.0/24'],
      addresses: ['fd88:1::1', '10.88.1.1'],
      underlayAddresses: ['192.0.2.1'],
      kubernetes: { etcd: '1.37', apiServer: '1.37', controllers: '1.36', kubelet: '1.36' },
      granted: '8c1f0d3a9b2e',
      restart: '8c1f0d3a9b2e',
      rollout: { state: 'Draining', message: 'pods are evicted' },
      departure: {
        stage: 'LeavingEtcd',
        since: '2026-11-21T10:00:00Z',
        message: 'its member is removed',
        guarded: true,
      },
    },
  ],
  retiredIndexes: [{ index: 2, name: 'node2', at: '2026-11-21T10:00:00Z' }],
  kubernetes: {
    version: '1.36',
    target: '1.37',
    stage: 'apiServer',
    sources: [{ version: '1.36', url: 'path:/srv/nixpkgs', refresh: '1', locked: '{}' }],
  },
  etcd: {
    state: 'Starting',
    clusterID: '8e9e05c52164694d',
    transport: 'TLS',
    members: [
      {
        name: 'node1-0e7c1c6e',
        node: 'node1',
        id: '8211f1d0f64f3269',
        learner: false,
        healthy: true,
        peerURL: 'https://10.88.1.1:2380',
        problem: 'it is not there yet',
      },
    ],
    initial: {
      state: 'new',
      start: 'a1b2',
      replaces: '8211f1d0f64f326a',
      members: [{ name: 'node1-0e7c1c6e', url: 'https://10.88.1.1:2380' }],
      for: ['node1'],
    },
  },
  nixpkgs: { ...nixpkgs, lastModified: 1_790_000_000, locked: '{}' },
  resolver: 'node1',
};
