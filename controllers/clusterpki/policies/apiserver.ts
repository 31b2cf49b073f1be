/** kube-apiserver: what it serves with, and what it shows to kubelets, to etcd and to extension API servers. */
import { addressIn, parseNetwork, printAddress } from '../../lib/core/network.ts';
import { canonicalAddress } from '../../lib/pki/ip-address.ts';
import { PkiError } from '../../lib/pki/pki-error.ts';
import {
  addressesOf,
  each,
  isControlPlane,
  type Leaf,
  leaf,
  loopback,
  namesOf,
  type Policy,
  type Subject,
} from './policy.ts';

const owner = 'kubernetes';

export const apiserver: Policy = (subject) =>
  isControlPlane(subject) ? [serving(subject), kubeletClient, etcdClient, frontProxyClient] : [];

/** Clients on the host reach it through a balancer on the loopback, pods by the first address of the services. */
function serving(subject: Subject): Leaf {
  const { domain, endpointHost, services } = subject.cluster;
  const endpoint = nameOrAddress(endpointHost);
  return leaf({
    name: 'apiserver',
    authority: 'cluster',
    owner,
    spec: {
      commonName: 'kube-apiserver',
      dnsNames: each([
        'localhost',
        'kubernetes',
        'kubernetes.default',
        'kubernetes.default.svc',
        `kubernetes.default.svc.${domain}`,
        ...namesOf(subject),
        ...('name' in endpoint ? [endpoint.name] : []),
      ]),
      ipAddresses: each([
        ...loopback,
        ...addressesOf(subject),
        ...services.map((cidr) => printAddress(addressIn(parseNetwork(cidr), 1))),
        ...('address' in endpoint ? [endpoint.address] : []),
      ]),
      ends: ['server auth'],
    },
  });
}

/**
 * Kubernetes' documentation has the group system:masters here, which cannot be taken back; the user is bound to
 * system:kubelet-api-admin instead.
 */
const kubeletClient = leaf({
  name: 'apiserver-kubelet-client',
  authority: 'cluster',
  owner,
  spec: { commonName: 'kube-apiserver-kubelet-client', ends: ['client auth'] },
});

/** etcd knows no groups: whoever its authority signed for may do everything. */
const etcdClient = leaf({
  name: 'apiserver-etcd-client',
  authority: 'etcd',
  owner,
  spec: { commonName: 'kube-apiserver-etcd-client', ends: ['client auth'] },
});

/** The name is what `--requestheader-allowed-names` must say. */
const frontProxyClient = leaf({
  name: 'front-proxy-client',
  authority: 'front-proxy',
  owner,
  spec: { commonName: 'front-proxy-client', ends: ['client auth'] },
});

function nameOrAddress(host: string): { name: string } | { address: string } {
  try {
    return { address: canonicalAddress(host) };
  } catch (error) {
    if (!(error instanceof PkiError)) throw error;
    return { name: host.toLowerCase() };
  }
}
