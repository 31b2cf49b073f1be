/**
 * etcd: what members serve clients with, and what they show each other. Both are at either end of TLS: a member dials
 * its peers, and its gRPC gateway dials the member itself.
 */
import { addressesOf, each, isControlPlane, leaf, loopback, namesOf, type Policy } from './policy.ts';

export const etcd: Policy = (subject) => {
  if (!isControlPlane(subject)) return [];
  const names = {
    dnsNames: each(['localhost', ...namesOf(subject)]),
    ipAddresses: each([...loopback, ...addressesOf(subject)]),
    ends: ['server auth', 'client auth'],
  } as const;
  return [
    leaf({
      name: 'etcd-server',
      file: 'etcd/server',
      authority: 'etcd',
      owner: 'etcd',
      spec: { commonName: 'kube-etcd', ...names },
    }),
    leaf({
      name: 'etcd-peer',
      file: 'etcd/peer',
      authority: 'etcd',
      owner: 'etcd',
      spec: { commonName: 'kube-etcd-peer', ...names },
    }),
  ];
};
