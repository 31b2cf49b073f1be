/** What etcd waits for, and what users can do about it. Pure. */
import type { Verdict } from '../../lib/core/outcome.ts';
import { several } from '../../lib/core/several.ts';
import { lossAnnotation, removalAnnotation } from './facts.ts';
import { quorumOf } from './members.ts';

/** Something that keeps EtcdHealthy from being true. */
export type EtcdTrouble = { verdict: Verdict; reason: string; message: string; recheckMs: number };

/** Somebody else has to act, and nothing tells when he has but looking. */
const seldomMs = 60_000;
/** It moves by itself. */
const soonMs = 2_000;

const progressing = (reason: string, message: string): EtcdTrouble => ({
  ...{ verdict: 'progressing', reason, message },
  recheckMs: soonMs,
});
const waiting = (reason: string, message: string, recheckMs = seldomMs): EtcdTrouble => ({
  ...{ verdict: 'waiting', reason, message },
  recheckMs,
});

export const noControlPlane = (): EtcdTrouble =>
  waiting(
    'NoControlPlane',
    'no NixNode of the cluster has the role control-plane: add it to spec.roles of one',
  );

export const unobserved = (names: readonly string[]): EtcdTrouble =>
  waiting(
    'EtcdUnobserved',
    `hosts are asked whether they have data of etcd already, before a cluster is begun; not heard yet: ${several(names)}`,
  );

export const unnumbered = (name: string): EtcdTrouble =>
  progressing('EtcdStarting', `NixNode ${name}, which begins the cluster of etcd, gets its number first`);

export const starting = (name: string): EtcdTrouble =>
  progressing('EtcdStarting', `NixNode ${name} begins the cluster of etcd; its host has no data yet`);

export const conflicting = (found: readonly string[]): EtcdTrouble =>
  waiting(
    'EtcdForeignData',
    `control-plane hosts have data of different clusters of etcd: ${several(found, '; ')}. Move /var/lib/etcd/member away on those whose data are not wanted; nothing is done before`,
  );

export const foreign = (name: string, clusterID: string | undefined): EtcdTrouble =>
  waiting(
    'EtcdForeignData',
    `the host of NixNode ${name} has data of ${clusterID === undefined ? 'etcd that do not say of which cluster' : `another cluster of etcd, ${clusterID}`}: if nobody needs them, move /var/lib/etcd/member away there, and it joins`,
  );

export const lost = (id: string): EtcdTrouble =>
  waiting(
    'EtcdLost',
    `no control-plane host has data of the cluster of etcd ${id} any more, and no other one is begun in its place. Mount the disk that has them, or restore a backup; to begin with nothing, annotate the NixCluster: ${lossAnnotation}=${id}`,
  );

export const changingTransport = (name: string): EtcdTrouble =>
  progressing(
    'EtcdJoining',
    `the etcd of NixNode ${name} has to be started anew with TLS, so that others can join`,
  );

export const noQuorum = (said: readonly string[]): EtcdTrouble =>
  waiting(
    'EtcdNoQuorum',
    `etcd cannot be asked, or has no majority: ${several(said, '; ')}. Nothing of its membership is changed until it has`,
    10_000,
  );

export const joining = (name: string, what: string): EtcdTrouble =>
  progressing('EtcdJoining', `waits for the etcd of NixNode ${name} ${what}`);

export const cannotJoin = (name: string, why: string): EtcdTrouble =>
  waiting('EtcdDegraded', `the etcd of NixNode ${name} cannot join: ${why}`);

export const changing = (what: string): EtcdTrouble => progressing('EtcdJoining', what);

export const guarded = (who: string, id: string, left: number, healthy: number): EtcdTrouble =>
  waiting(
    'EtcdQuorumAtRisk',
    left === 0
      ? `member ${id} of etcd (${who}) is the only one and stays: all objects of the cluster would go with it`
      : `member ${id} of etcd (${who}) is not removed: ${healthy} of the ${left} that would remain are healthy, and ${quorumOf(left)} have to be. Bring them back; or, to remove it all the same, annotate the NixCluster: ${removalAnnotation}=${id}`,
    10_000,
  );

export const unhealthy = (name: string, problem: string | undefined): EtcdTrouble =>
  waiting(
    'EtcdDegraded',
    `the etcd of NixNode ${name} is not healthy: ${problem ?? 'its host has not been asked'}`,
    15_000,
  );

export const unknownMember = (id: string, name: string, url: string): EtcdTrouble =>
  waiting(
    'EtcdUnknownMember',
    `etcd has a member that no NixNode is: ${id} (${name || 'never started'}, ${url}). It counts for the majority. If nobody needs it, annotate the NixCluster: ${removalAnnotation}=${id}`,
  );
