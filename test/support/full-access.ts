/** A ClusterAccess and a ClusterAddon in which every field that there is has a valid value, as `full-objects.ts` has other kinds. */
import type { Json } from './hostile-values.ts';

type Fields = { [key: string]: Json };

export const fullAccess = (name: string): Fields & { spec: Fields } => ({
  apiVersion: 'firn.dev/v1alpha1',
  kind: 'ClusterAccess',
  metadata: { name, namespace: 'fleet' },
  spec: {
    clusterRef: { name: 'demo' },
    user: 'oidc:ops@example.com',
    groups: ['firn:cluster-admins', 'team/ops'],
    lifetime: '720h',
    secretName: 'ops-kubeconfig',
  },
});

const at = '2026-11-21T10:00:00Z';
const conditions = [
  {
    type: 'Ready',
    status: 'True',
    observedGeneration: 3,
    lastTransitionTime: at,
    reason: 'Reconciled',
    message: '',
  },
];

export const fullAccessStatus: Fields = {
  observedGeneration: 3,
  conditions,
  summary: 'Issued',
  secretName: 'ops-kubeconfig',
  server: 'https://kube.example.com:6443',
  groups: 'firn:cluster-admins,team/ops',
  serial: '4f'.repeat(16),
  fingerprint: 'ab'.repeat(32),
  notAfter: at,
  renewAt: at,
  limitedBy: 'its authority',
  expiresIn: '364d',
};

export const fullAddon = (name: string): Fields & { spec: Fields } => ({
  apiVersion: 'firn.dev/v1alpha1',
  kind: 'ClusterAddon',
  metadata: { name, namespace: 'fleet' },
  spec: {
    clusterRef: { name: 'demo' },
    manifests: [
      { inline: 'apiVersion: v1\nkind: Namespace\nmetadata: { name: monitoring }\n' },
      { configMapRef: { name: 'all' } },
      { configMapRef: { name: 'one', key: 'components.yaml' } },
    ],
    prune: true,
    conflicts: 'Force',
    deletionPolicy: 'Delete',
  },
});

export const fullAddonStatus: Fields = {
  observedGeneration: 3,
  conditions,
  summary: 'ObjectsFailed',
  objects: '2/3',
  health: { current: 2, inProgress: 0, failed: 1, terminating: 0 },
  troubled: [{ object: 'Deployment.apps monitoring/web', state: 'Failed', message: 'no image' }],
  inventory: [
    { group: '', version: 'v1', kind: 'Namespace', name: 'monitoring' },
    { group: 'apps', version: 'v1', kind: 'Deployment', namespace: 'monitoring', name: 'web' },
  ],
};
