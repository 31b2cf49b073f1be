/** Whether a host that runs what it should is well. */
import type { NixNodeStatus } from '../../crds/index.ts';
import { ReconcileError } from '../lib/core/outcome.ts';
import type { Observation } from '../lib/host/protocol.ts';

/** Certificates and fetches over TLS fail with a clock that is off by more; seconds. */
const toleratedSkewSeconds = 600;
/** How soon to look again at what a person has to put right on the host. */
export const recheckMs = 30_000;

/** A host that is as it should be is looked at this often; every change of its objects wakes it at once. */
const calmMs = 300_000;
const soonestMs = 2_000;
const latestMs = 60_000;
const everyPeerMs = 60;

type Mesh = Pick<NonNullable<NixNodeStatus['mesh']>, 'peers' | 'details'>;

/**
 * When to look again at a host that is well. While peers are missing that is sooner: most come within seconds after
 * something changed, `ageMs` ago. The larger the mesh, the later: one dead node of a thousand must not keep all busy.
 */
export function recheckAfter(mesh: Mesh | undefined, ageMs: number): number {
  // The worst is the first.
  if (!mesh?.details[0] || mesh.details[0].state === 'Connected') return calmMs;
  const backedOff = Math.min(latestMs, Math.max(soonestMs, ageMs / 4));
  return Math.min(calmMs, Math.max(backedOff, mesh.peers * everyPeerMs));
}

const servingMs = 60_000;
const pickingUpMs = 10_000;

/** Which pods answer is known to a host's HAProxy at once, and to us when we look: sooner while not all do. */
export function recheckFrontends(frontends: Observation['frontends']): number {
  if (frontends === null || frontends.length === 0) return calmMs;
  return frontends.every(({ servers, up }) => up > 0 && up === servers) ? servingMs : pickingUpMs;
}

/** Whether an ailing member of etcd has lost its data is known to who looks: nobody else tells, and its repair waits for it. */
export const recheckMember = (isAiling: boolean): number => (isAiling ? recheckMs : calmMs);

/** Words about a clock that is wrong; undefined where it is right. `nowMs` is ours. */
export function clockProblem(seen: Pick<Observation, 'time'>, nowMs: number): string | undefined {
  const skew = seen.time - Math.round(nowMs / 1000);
  if (Math.abs(skew) <= toleratedSkewSeconds) return undefined;
  const minutes = Math.round(Math.abs(skew) / 60);
  const direction = skew > 0 ? 'ahead of' : 'behind';
  return `the host's clock is about ${minutes} minutes ${direction} the operator's; set it (timedatectl set-time, or a time service), nothing is deployed before`;
}

/** Throws `waiting` with the reason. */
export function checkHealth(seen: Observation, nowMs: number): void {
  const problem = clockProblem(seen, nowMs);
  if (problem) throw new ReconcileError('waiting', 'ClockSkewed', problem, { recheckMs });
  if (seen.failedUnits.length > 0) {
    const message = `units failed on the host: ${seen.failedUnits.join(', ')}; systemctl status there tells why, and systemctl reset-failed forgets those that do not matter any more`;
    throw new ReconcileError('waiting', 'UnitsFailed', message, { recheckMs });
  }
  const confirmed = seen.releases.find((release) => release.id === seen.confirmed);
  if (confirmed?.system && confirmed.system !== seen.running.system) {
    const message = `the host runs ${seen.running.system}, which somebody switched to by hand, instead of release ${confirmed.id}; switch back (/var/lib/firn/confirmed/system/bin/switch-to-configuration test), or change the spec`;
    throw new ReconcileError('waiting', 'Drifted', message, { recheckMs });
  }
}
