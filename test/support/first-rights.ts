/** What a new cluster's users may: those that Kubernetes does not know by itself. Its own components it does. */

const group = 'rbac.authorization.k8s.io';
const binding = (name: string, role: string, subject: object): object => ({
  apiVersion: `${group}/v1`,
  kind: 'ClusterRoleBinding',
  metadata: { name },
  roleRef: { apiGroup: group, kind: 'ClusterRole', name: role },
  subjects: [{ apiGroup: group, ...subject }],
});

export const firstRights = (): object => ({
  apiVersion: 'v1',
  kind: 'List',
  items: [
    binding('firn:cluster-admins', 'cluster-admin', { kind: 'Group', name: 'firn:cluster-admins' }),
    binding('firn:kubelet-api', 'system:kubelet-api-admin', {
      kind: 'User',
      name: 'kube-apiserver-kubelet-client',
    }),
    {
      apiVersion: `${group}/v1`,
      kind: 'ClusterRole',
      metadata: { name: 'firn:coredns' },
      rules: [
        { apiGroups: [''], resources: ['namespaces', 'pods', 'services'], verbs: ['list', 'watch'] },
        { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
      ],
    },
    binding('firn:coredns', 'firn:coredns', { kind: 'User', name: 'firn:coredns' }),
  ],
});
