/**
 * Which certificates a node has. Subjects, names, usages and paths are those of "PKI certificates and requirements"
 * (kubernetes.io/docs/setup/best-practices/certificates), with two differences: nobody is in system:masters, and there
 * is no healthcheck client of etcd, for which its metrics port answers.
 *
 * Below `/etc/kubernetes/pki`, each with `.crt` (0444) and `.key` (0400):
 *
 * | owner      | files                                                                                             |
 * |------------|---------------------------------------------------------------------------------------------------|
 * | kubernetes | apiserver, apiserver-kubelet-client, apiserver-etcd-client, front-proxy-client, controller-manager, scheduler |
 * | etcd       | etcd/server, etcd/peer                                                                            |
 * | root       | kubelet, kubelet-client, kube-proxy, admin; flannel where there is Flannel                         |
 * | coredns    | coredns                                                                                           |
 */
import { apiserver } from './policies/apiserver.ts';
import {
  administrator,
  controllerManager,
  coredns,
  flannel,
  kubeProxy,
  scheduler,
} from './policies/clients.ts';
import { etcd } from './policies/etcd.ts';
import { kubelet } from './policies/kubelet.ts';
import type { Leaf, Policy, Subject } from './policies/policy.ts';

export type { AuthorityName, Leaf, Subject } from './policies/policy.ts';

const policies: readonly Policy[] = [
  apiserver,
  etcd,
  controllerManager,
  scheduler,
  kubelet,
  kubeProxy,
  flannel,
  coredns,
  administrator,
];

/** In a fixed order; equal for equal subjects. Throws `PkiError` on an address that is none. */
export const leavesOf = (subject: Subject): Leaf[] => policies.flatMap((policy) => policy(subject));
