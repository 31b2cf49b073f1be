import type { Target as HostTarget } from '../host/host.ts';
import type { Authority } from '../pki/authority.ts';

/** A control-plane node, and how its host is logged in to. */
export type ControlPlaneHost = { node: string; target: HostTarget };

/** How an API server may be reached: from the host that it runs on, or at an address of its own. */
export type Way =
  | { kind: 'SSH'; node: string; target: HostTarget; address: string; port: number }
  | { kind: 'Direct'; host: string; port: number };

/** What it takes to get into a target cluster. */
export type TargetAccess = {
  /** The UID of the NixCluster: what is kept for the cluster is kept by it. */
  key: string;
  /** `namespace/name`, for the log. */
  cluster: string;
  /** The most promising first. Never empty. */
  ways: readonly Way[];
  /** All control-plane nodes whose hosts can be logged in to, those that leave too. */
  hosts: readonly ControlPlaneHost[];
  /** Whose word counts there. */
  authority: {
    signer: Authority;
    /** Of the certificate that signs. */
    fingerprint: string;
    /** PEM of all that are trusted now. */
    trust: string;
  };
};

export const nameOfWay = (way: Way): string =>
  way.kind === 'SSH' ? `kube-apiserver on ${way.node}` : `${way.host} port ${way.port}`;
