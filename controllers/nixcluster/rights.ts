/** Rights in a target cluster of those whom Kubernetes does not know by itself. Its own components it does. Pure. */
import type { KubeObject, ResourceKind } from '../../crds/resource.ts';

const group = 'rbac.authorization.k8s.io';

const rbacKind = (kind: string, plural: string): ResourceKind<KubeObject> => ({
  group,
  version: 'v1',
  kind,
  plural,
  namespaced: false,
  parse: (raw) => raw as KubeObject,
});
export const ClusterRoleKind = rbacKind('ClusterRole', 'clusterroles');
export const ClusterRoleBindingKind = rbacKind('ClusterRoleBinding', 'clusterrolebindings');

export type Right = {
  kind: ResourceKind<KubeObject>;
  name: string;
  /** What it says beside its metadata. */
  content: Readonly<Record<string, unknown>>;
};

const binding = (name: string, role: string, subject: object): Right => ({
  kind: ClusterRoleBindingKind,
  name,
  content: {
    roleRef: { apiGroup: group, kind: 'ClusterRole', name: role },
    subjects: [{ apiGroup: group, ...subject }],
  },
});

/** In this order: the first gives the operator the right to give the others. */
export const rights: readonly Right[] = [
  binding('firn:cluster-admins', 'cluster-admin', { kind: 'Group', name: 'firn:cluster-admins' }),
  // The API server's client at kubelets: logs, exec, port-forward.
  binding('firn:kubelet-api', 'system:kubelet-api-admin', {
    kind: 'User',
    name: 'kube-apiserver-kubelet-client',
  }),
  {
    kind: ClusterRoleKind,
    name: 'firn:coredns',
    content: {
      rules: [
        { apiGroups: [''], resources: ['namespaces', 'pods', 'services'], verbs: ['list', 'watch'] },
        { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
      ],
    },
  },
  binding('firn:coredns', 'firn:coredns', { kind: 'User', name: 'firn:coredns' }),
  // As its own manifests have it. Where there is no Flannel nobody has a certificate of that name.
  {
    kind: ClusterRoleKind,
    name: 'firn:flannel',
    content: {
      rules: [
        { apiGroups: [''], resources: ['nodes'], verbs: ['get', 'list', 'watch'] },
        { apiGroups: [''], resources: ['nodes/status'], verbs: ['patch'] },
      ],
    },
  },
  binding('firn:flannel', 'firn:flannel', { kind: 'User', name: 'firn:flannel' }),
];

const names = new Set(rights.map(({ name }) => name));

/** Roles and bindings of others are many, and change without concern to us. */
export const isRight = (name: string): boolean => names.has(name);
