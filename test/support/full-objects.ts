/** One object of each kind in which every field that there is has a valid value. */
import type { Json } from './hostile-values.ts';

type Fields = { [key: string]: Json };

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFBvcnRhYmxlS2V5Rm9yVGVzdHNPbmx5AAAAAA';

const files: Json = [
  {
    path: '/run/keys/licence',
    secretRef: { name: 'licence', key: 'licence.txt' },
    owner: 'app',
    group: 'app',
    mode: '0440',
    restartUnits: ['app.service', 'app@1.service'],
    reloadUnits: ['web.service'],
  },
  { path: '/etc/motd', configMapRef: { name: 'motd', key: 'motd' } },
];

export const fullNode = (name: string): Fields & { spec: Fields } => ({
  apiVersion: 'firn.dev/v1alpha1',
  kind: 'NixNode',
  metadata: { name, namespace: 'fleet' },
  spec: {
    ssh: {
      host: '192.0.2.11',
      port: 2222,
      user: 'deploy',
      keyRef: { name: 'deploy-key' },
      hostKeys: [key, `${key} root@alpha`],
      hostKeyPolicy: 'Strict',
      jump: { host: 'hop.example.com', user: 'hop', keyRef: { name: 'hop-key' }, hostKeys: [key] },
    },
    addresses: ['192.0.2.11', '2001:db8::11'],
    system: 'x86_64-linux',
    stateVersion: '26.05',
    nixpkgs: {
      url: 'github:NixOS/nixpkgs/nixos-26.05',
      rev: '0123456789abcdef0123456789abcdef01234567',
      narHash: 'sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=',
      refresh: '2026-11-21',
    },
    modules: [{ inline: '{ }' }, { configMapRef: { name: 'hardware', key: 'hardware-configuration.nix' } }],
    files,
    deploy: {
      mode: 'Apply',
      approve: '',
      confirmWithin: '90s',
      reboot: 'WhenRequired',
      buildOn: 'Target',
      allow: ['WouldNotBoot'],
    },
    deletionPolicy: 'Reset',
    deletionTimeout: '15m',
    clusterRef: { name: 'prod' },
    roles: ['control-plane', 'worker'],
    index: 7,
    mesh: { endpoint: '[2001:db8::11]:51820', behindNAT: true },
    kubernetes: {
      labels: { disk: 'ssd' },
      taints: [{ key: 'dedicated', value: 'db', effect: 'NoSchedule' }],
    },
  },
});

export const fullModule = (name: string): Fields & { spec: Fields } => ({
  apiVersion: 'firn.dev/v1alpha1',
  kind: 'NixModule',
  metadata: { name, namespace: 'fleet' },
  spec: {
    nodeSelector: {
      matchLabels: { site: 'berlin', 'example.com/rack': 'r1' },
      matchExpressions: [
        { key: 'tier', operator: 'In', values: ['a', 'b'] },
        { key: 'old', operator: 'DoesNotExist' },
      ],
    },
    priority: 10,
    inline: '{ }',
    files,
  },
});

const hash = 'ab'.repeat(32);

export const fullStatus: Fields = {
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
    {
      type: 'Reachable',
      status: 'Unknown',
      lastTransitionTime: '2026-11-21T10:00:00.5+01:00',
      reason: 'ConnectTimeout',
      message: 'no answer',
    },
  ],
  summary: 'Healthy',
  release: {
    desired: '8c1f0d3a9b2e',
    class: 'system',
    built: true,
    stopsPods: true,
    current: '8c1f0d3a9b2e',
    confirmed: '8c1f0d3a9b2e',
    previous: '000000000000',
  },
  parts: { system: hash, data: hash, secrets: hash },
  trial: {
    id: '8c1f0d3a9b2e',
    attempt: 1,
    state: 'Reverted',
    reason: 'UnitsFailed',
    message: 'sshd.service',
    deadline: '2026-11-21T10:00:00Z',
  },
  bad: [{ part: 'system', hash, reason: 'UnitsFailed', message: 'sshd.service', at: '2026-11-21T10:00:00Z' }],
  nixosVersion: '26.05',
  facts: {
    hostname: 'alpha',
    system: 'x86_64-linux',
    kernel: '6.18.0',
    nixVersion: '2.31.2',
    systemdVersion: 258,
    cpus: 2,
    memoryBytes: 25_769_803_776,
    addresses: ['192.0.2.11'],
  },
  bootId: '0e7c1c6e-2c4c-4a2f-8b7e-0d7b8c1f0d3a',
  generation: 12,
  rebootDue: false,
  roles: 'control-plane,worker',
  index: 7,
  member: {
    cluster: 'prod',
    index: 7,
    nixpkgs: { url: 'github:NixOS/nixpkgs/nixos-26.05', refresh: '2026-11-21', locked: '{}' },
    kubernetes: {
      versions: { etcd: '1.37', apiServer: '1.37', controllers: '1.36', kubelet: '1.36' },
      sources: [{ version: '1.36', url: 'path:/srv/nixpkgs', refresh: '1', locked: '{}' }],
    },
  },
  kubernetesNixpkgs: { url: 'path:/srv/next', refresh: '1', locked: '{}' },
  mesh: {
    keys: [{ epoch: 1, publicKey: 'pHEYIfgWiJEgnR8zKYGnWlbZbQZ0xb5eEyzVSpzz3BM=' }],
    active: 1,
    port: 51_820,
    mtu: 1420,
    peers: 2,
    connected: 1,
    details: [
      {
        name: 'beta',
        epoch: 1,
        state: 'Down',
        lastHandshake: '2026-11-21T10:00:00Z',
        receivedBytes: 12_345,
        sentBytes: 67_890,
      },
    ],
    problem: 'port 51820 is taken',
  },
  pki: {
    authorities: [{ name: 'cluster', fingerprint: hash }],
    certificates: 12,
    nextExpiry: '2026-11-21T10:00:00Z',
    nextExpiring: '/etc/kubernetes/pki/apiserver.crt',
  },
  frontends: [{ name: 'web', digest: hash, servers: 5, up: 4 }],
  ssh: { hostKeys: [key], hostKeyFingerprint: 'SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' },
  nixpkgs: {
    url: 'github:NixOS/nixpkgs/nixos-26.05',
    refresh: '2026-11-21',
    rev: '0123456789abcdef0123456789abcdef01234567',
    narHash: 'sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=',
    lastModified: 1_790_000_000,
    locked: '{}',
  },
  fence: { installation: 'ab'.repeat(16), number: 4 },
  resumed: '1',
  rejected: '1',
  lastObserved: '2026-11-21T10:00:00Z',
  deletion: { outcome: 'Reset', at: '2026-11-21T10:00:00Z' },
};
