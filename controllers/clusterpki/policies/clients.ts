/** Components that are clients of the API server and nothing else. */
import { isControlPlane, type Leaf, leaf, type Policy, runsPods } from './policy.ts';

const client = (name: string, commonName: string, owner: string, organizations: string[] = []): Leaf =>
  leaf({ name, authority: 'cluster', owner, spec: { commonName, organizations, ends: ['client auth'] } });

export const controllerManager: Policy = (subject) =>
  isControlPlane(subject)
    ? [client('controller-manager', 'system:kube-controller-manager', 'kubernetes')]
    : [];

export const scheduler: Policy = (subject) =>
  isControlPlane(subject) ? [client('scheduler', 'system:kube-scheduler', 'kubernetes')] : [];

/** It writes to nftables, so it runs as root. */
export const kubeProxy: Policy = (subject) =>
  runsPods(subject) ? [client('kube-proxy', 'system:kube-proxy', 'root')] : [];

/** It makes devices and routes, so it runs as root. */
export const flannel: Policy = (subject) =>
  runsPods(subject) && subject.cluster.cni === 'Flannel' ? [client('flannel', 'firn:flannel', 'root')] : [];

/** On every node, for it has the cluster's names. A name of its own: what system:nodes may is not for it. */
export const coredns: Policy = () => [client('coredns', 'firn:coredns', 'coredns')];

/** For root on control-plane nodes. The group is bound by the operator; system:masters could not be taken back. */
export const administrator: Policy = (subject) =>
  isControlPlane(subject) ? [client('admin', 'kubernetes-admin', 'root', ['firn:cluster-admins'])] : [];
