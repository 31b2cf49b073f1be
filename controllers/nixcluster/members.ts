/** What of a NixNode matters to its cluster. Pure. */
import { type ClusterNode, isAddress, type NixNode, type WireguardMesh } from '../../crds/index.ts';
import { hostNetwork, parseAddress, parseNetwork, printAddress } from '../lib/core/network.ts';
import type { Claim } from './network.ts';

export type Member = {
  name: string;
  uid: string;
  /** `spec.index`. */
  asked: number | undefined;
  /** The number that the host itself says it has in this cluster. */
  claimed: number | undefined;
  /** Whether the host was ever asked. */
  observed: boolean;
  /**
   * `leaving`: being deleted, and the host is still what it was. `reset`: nothing of the cluster is left on it. `left`:
   * it was given up, and may go on as before.
   */
  stage: 'present' | 'leaving' | 'reset' | 'left';
};

/** `cluster` is the name of the NixCluster; a host that speaks of another one claims nothing here. */
export function memberOf({ metadata, spec, status }: NixNode, cluster: string): Member {
  const { member } = status ?? {};
  return {
    name: metadata.name,
    uid: metadata.uid,
    asked: spec.index,
    claimed: member?.cluster === cluster ? member.index : undefined,
    observed: status?.lastObserved !== undefined,
    stage: stageOf(metadata.deletionTimestamp !== undefined, status),
  };
}

function stageOf(deleting: boolean, status: NixNode['status']): Member['stage'] {
  if (!deleting) return 'present';
  const outcome = status?.deletion?.outcome;
  if (outcome === undefined) return 'leaving';
  return outcome === 'Reset' ? 'reset' : 'left';
}

/**
 * Addresses by which other nodes reach it: those of the spec; else `ssh.host`, if the host has that address itself (behind
 * NAT it has not). What was known before stays while the host has not said which addresses it has.
 */
export function underlayOf({ spec, status }: NixNode, before: ClusterNode | undefined): string[] {
  if (spec.addresses.length > 0) return spec.addresses.map(canonical);
  const own = status?.facts?.addresses;
  if (own === undefined) return before?.underlayAddresses ?? [];
  if (!isAddress(spec.ssh.host)) return [];
  const host = canonical(spec.ssh.host);
  return own.filter(isAddress).map(canonical).includes(host) ? [host] : [];
}

const canonical = (address: string): string => printAddress(parseAddress(address));

/** Addresses that pods and services must stay clear of. */
export function claimsOf(nodes: readonly { name: string; underlay: readonly string[] }[]): Claim[] {
  return nodes.flatMap(({ name, underlay }) =>
    underlay.map((address) => ({
      network: hostNetwork(parseAddress(address)),
      whose: `address ${address} of NixNode ${name}`,
    })),
  );
}

export const claimsOfPeers = (mesh: WireguardMesh | undefined): Claim[] =>
  (mesh?.spec.externalPeers ?? []).flatMap(({ name, allowedIPs }) =>
    allowedIPs.map((cidr) => ({
      network: parseNetwork(cidr),
      whose: `${cidr} of the external peer ${name}`,
    })),
  );

/** Natural order, the same everywhere: node2 before node10. */
export const byName = (a: { name: string }, b: { name: string }): number =>
  collator.compare(a.name, b.name) || (a.name < b.name ? -1 : 1);
const collator = new Intl.Collator('en', { numeric: true });
