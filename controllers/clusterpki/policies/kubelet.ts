/**
 * kubelet: as a client it is its node ("Using Node Authorization"); what it serves with is as the signer
 * kubernetes.io/kubelet-serving would make it (KEP-1513).
 */
import { addressesOf, each, leaf, namesOf, type Policy, runsPods } from './policy.ts';

export const kubelet: Policy = (subject) => {
  if (!runsPods(subject)) return [];
  const identity = { commonName: `system:node:${subject.node}`, organizations: ['system:nodes'] };
  return [
    leaf({
      name: 'kubelet-client',
      authority: 'cluster',
      owner: 'root',
      spec: { ...identity, ends: ['client auth'] },
    }),
    leaf({
      name: 'kubelet',
      authority: 'cluster',
      owner: 'root',
      spec: {
        ...identity,
        dnsNames: each(namesOf(subject)),
        ipAddresses: each(addressesOf(subject)),
        ends: ['server auth'],
      },
    }),
  ];
};
