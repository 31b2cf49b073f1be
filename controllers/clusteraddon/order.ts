/** What has to be there before what. Pure. */

type Typed = { group: string; kind: string };

/** A stage begins when all of the former was taken. A custom object is of `custom`, webhooks are last: they stop others. */
const stages = [
  ['Namespace'],
  ['CustomResourceDefinition.apiextensions.k8s.io'],
  [
    'PriorityClass.scheduling.k8s.io',
    'RuntimeClass.node.k8s.io',
    'StorageClass.storage.k8s.io',
    'IngressClass.networking.k8s.io',
    'ResourceQuota',
    'LimitRange',
    'ServiceAccount',
    'ClusterRole.rbac.authorization.k8s.io',
    'Role.rbac.authorization.k8s.io',
    'ClusterRoleBinding.rbac.authorization.k8s.io',
    'RoleBinding.rbac.authorization.k8s.io',
  ],
  [
    'ConfigMap',
    'Secret',
    'PersistentVolume',
    'PersistentVolumeClaim',
    'Service',
    'NetworkPolicy.networking.k8s.io',
    'PodDisruptionBudget.policy',
  ],
  [
    'Pod',
    'ReplicationController',
    'ReplicaSet.apps',
    'Deployment.apps',
    'StatefulSet.apps',
    'DaemonSet.apps',
    'Job.batch',
    'CronJob.batch',
  ],
] as const;
const last = [
  'APIService.apiregistration.k8s.io',
  'ValidatingWebhookConfiguration.admissionregistration.k8s.io',
  'MutatingWebhookConfiguration.admissionregistration.k8s.io',
  'ValidatingAdmissionPolicy.admissionregistration.k8s.io',
  'ValidatingAdmissionPolicyBinding.admissionregistration.k8s.io',
  'MutatingAdmissionPolicy.admissionregistration.k8s.io',
  'MutatingAdmissionPolicyBinding.admissionregistration.k8s.io',
];

const rankOfKind = new Map<string, number>([
  ...stages.flatMap((kinds, rank) => kinds.map((kind) => [kind as string, rank] as const)),
  ...last.map((kind) => [kind, stages.length + 1] as const),
]);

const idOf = ({ group, kind }: Typed): string => (group === '' ? kind : `${kind}.${group}`);
const rankOf = (object: Typed): number => rankOfKind.get(idOf(object)) ?? stages.length;

/** The objects by stages, in the order of stages; within one as they are given. */
export function inStages<T extends Typed>(objects: readonly T[]): T[][] {
  const byRank = new Map<number, T[]>();
  for (const object of objects) {
    const rank = rankOf(object);
    byRank.set(rank, [...(byRank.get(rank) ?? []), object]);
  }
  return [...byRank].sort(([a], [b]) => a - b).map(([, stage]) => stage);
}

export const isCrd = (object: Typed): boolean =>
  idOf(object) === 'CustomResourceDefinition.apiextensions.k8s.io';
