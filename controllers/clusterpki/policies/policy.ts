import type { LeafSpec } from '../../lib/pki/leaf.ts';

/** The node for which certificates are made, and what of its cluster goes into them. */
export type Subject = {
  /** Name of the NixNode, which is the name of its Node object. */
  node: string;
  roles: readonly ('control-plane' | 'worker' | 'frontend')[];
  /** The host's addresses in the networks of pods, without prefix lengths. */
  addresses: readonly string[];
  /** By which other nodes reach the host. */
  underlayAddresses: readonly string[];
  cluster: {
    name: string;
    domain: string;
    /** A host name or an address. */
    endpointHost: string;
    /** The networks of services, as CIDRs. */
    services: readonly string[];
    /** How pods get their network; absent: as by default. */
    cni?: 'Bridge' | 'Flannel' | 'None';
  };
};

export const authorityNames = ['cluster', 'etcd', 'front-proxy'] as const;
export type AuthorityName = (typeof authorityNames)[number];

/** A certificate of one component, and where it is to be. The key never leaves memory but to the host. */
export type Leaf = {
  /** Unique on a node. */
  name: string;
  authority: AuthorityName;
  spec: Omit<LeafSpec, 'algorithm' | 'lifetimeMs'>;
  /** Absolute; mode 0444. */
  certificatePath: string;
  /** Absolute; mode 0400. */
  keyPath: string;
  /** Who reads the key: the user that the component runs as. */
  owner: string;
  group: string;
  restartUnits: readonly string[];
  reloadUnits: readonly string[];
};

/** The certificates of one component on one node; none where the node does not run it. */
export type Policy = (subject: Subject) => Leaf[];

/** The folder of kubeadm, whose names for files are used where it has one. */
export const pkiFolder = '/etc/kubernetes/pki';

/**
 * Every component takes up a new certificate by itself, so no unit is restarted for one: kube-apiserver and kubelet
 * watch the files they serve with, etcd reads its own at every handshake, and client-go reads client certificates
 * again. It is authorities that most of them read once (`../shared-files.ts`).
 */
export const leaf = (
  given: Pick<Leaf, 'name' | 'authority' | 'owner' | 'spec'> & { file?: string },
): Leaf => {
  const { name, authority, owner, spec, file = name } = given;
  return {
    name,
    authority,
    spec,
    certificatePath: `${pkiFolder}/${file}.crt`,
    keyPath: `${pkiFolder}/${file}.key`,
    owner,
    group: owner,
    restartUnits: [],
    reloadUnits: [],
  };
};

export const isControlPlane = ({ roles }: Pick<Subject, 'roles'>): boolean => roles.includes('control-plane');
/** Control-plane nodes have a Node object and a kubelet like workers; a frontend runs no pods. */
export const runsPods = ({ roles }: Subject): boolean =>
  roles.includes('control-plane') || roles.includes('worker');

/** By which the host is reached within its cluster. */
export const namesOf = ({ node, cluster }: Subject): string[] => [node, `${node}.${cluster.domain}`];
export const addressesOf = ({ addresses, underlayAddresses }: Subject): string[] => [
  ...addresses,
  ...underlayAddresses,
];
export const loopback = ['127.0.0.1', '::1'] as const;

/** Each once and in order, so that the same subject has the same certificate however it was listed. */
export const each = (values: readonly string[]): string[] =>
  [...new Set(values)].sort((a, b) => (a < b ? -1 : 1));
