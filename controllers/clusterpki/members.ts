/** What is known of the hosts of a cluster: which keys they have, and whether they were asked at all. */
import { type ClusterPKI, NixCluster, type NixNode } from '../../crds/index.ts';
import { ReconcileError } from '../lib/core/outcome.ts';
import { several } from '../lib/core/several.ts';
import type { CacheReader } from '../lib/runtime/controller.ts';
import { pkiOf } from '../nixcluster/relations.ts';
import type { Gate } from './machine.ts';
import { isControlPlane, type Subject } from './policies/policy.ts';
import type { Origins } from './shared-files.ts';

export type OriginName = keyof Origins;

export type Member = {
  name: string;
  roles: Subject['roles'];
  /** Whether the host ever answered: without that nothing is known of it. */
  observed: boolean;
  /** Whether what runs is confirmed: on trial, it may be taken back. */
  confirmed: boolean;
  origins: Origins;
};

export function memberOf({ metadata, spec, status }: NixNode): Member {
  const { current, confirmed } = status?.release ?? {};
  return {
    name: metadata.name,
    roles: spec.roles,
    observed: status?.lastObserved !== undefined,
    confirmed: current !== undefined && current === confirmed,
    origins: Object.fromEntries(
      (status?.pki?.authorities ?? []).map(({ name, fingerprint }) => [name, fingerprint]),
    ),
  };
}

/** The one cluster that uses it, if there is one. Throws `terminal` where several do: each would be at home in all. */
export function clusterOf(pki: ClusterPKI, read: CacheReader): NixCluster | undefined {
  const { namespace = '', name } = pki.metadata;
  const [cluster, ...more] = read.list(NixCluster, namespace).filter((one) => pkiOf(one) === name);
  if (cluster && more.length > 0) {
    const names = several([cluster, ...more].map(({ metadata }) => metadata.name));
    const message = `the NixClusters ${names} all use it, and whoever is somebody in one would be so in all; give each its own in spec.pkiRef`;
    throw new ReconcileError('terminal', 'PkiShared', message);
  }
  return cluster;
}

/** Those hosts to which an origin is delivered at all. */
const concerned = (members: readonly Member[], name: OriginName): Member[] =>
  members.filter(({ roles }) => name.startsWith('cluster') || isControlPlane({ roles }));

/** Open when every host that gets it runs what is expected, and has confirmed it. */
export function hostsGate(members: readonly Member[], expected: Origins): Gate {
  const names = Object.keys(expected) as OriginName[];
  const behind = members.filter((member) =>
    names.some(
      (name) =>
        concerned([member], name).length > 0 &&
        !(member.confirmed && member.origins[name] === expected[name]),
    ),
  );
  return behind.length === 0 ? { open: true } : { open: false, waitsFor: `${listed(behind)} to have it` };
}

export const all = (...gates: readonly Gate[]): Gate => gates.find((gate) => !gate.open) ?? { open: true };

const listed = (members: readonly Member[]): string => several(members.map(({ name }) => name));

/**
 * Throws unless it is certain that no host lives by what is missing: a new authority would part it from the others, and
 * a new encryption key from its data. `fingerprint` is of what would take its place; a host that reports it is no obstacle.
 */
export function assertNew(
  what: { name: OriginName; secretName: string; known: boolean; fingerprint?: string | undefined },
  members: readonly Member[],
): void {
  const { name, secretName, known, fingerprint } = what;
  const holders = members.filter(
    ({ origins }) => origins[name] !== undefined && origins[name] !== fingerprint,
  );
  const silent = members.filter(({ observed }) => !observed);
  const restore = `restore Secret ${secretName} from a backup`;
  if (holders.length > 0) {
    const message = `Secret ${secretName} is missing, and ${listed(holders)} still live by what was in it; ${restore}`;
    throw new ReconcileError('terminal', 'AuthorityMissing', message);
  }
  if (silent.length > 0 && known) {
    const message = `Secret ${secretName} is missing, and ${listed(silent)} may live by what was in it and did not answer yet; ${restore}, or delete the NixNodes that are gone`;
    throw new ReconcileError('terminal', 'AuthorityMissing', message);
  }
  if (silent.length > 0) {
    const message = `before Secret ${secretName} is made, every host must say that it has no certificates yet; not asked so far: ${listed(silent)}`;
    throw new ReconcileError('waiting', 'MembersUnobserved', message);
  }
}
