/** Which nixpkgs a node is built from: pinned by the user, kept in status, or still to be asked for. */
import type { ClusterPin, NixNode, NixNodeStatus } from '../../crds/index.ts';
import { ReconcileError } from '../lib/core/outcome.ts';
import type { Observation } from '../lib/host/protocol.ts';
import { type Locked, lockedFromPin, parseLocked } from '../lib/nix/flake-lock.ts';
import { withAdvice } from './advice.ts';
import type { ReleaseRecord } from './manifest.ts';

type StatusPin = NonNullable<NixNodeStatus['nixpkgs']>;

/** What users ask for. */
export type Wanted = NonNullable<NixNode['spec']['nixpkgs']>;

export type Pin =
  /** `record` is what status keeps, so that nothing moves before the user says so. */
  | { state: 'known'; locked: Locked; record: StatusPin }
  /** A host has to be asked; `asking` is the request. */
  | { state: 'unknown'; asking: { url: string; refresh: string } }
  | { state: 'asked'; seconds: number };

/** A failed look-up is asked again after so long: names and networks fail for a while. */
const retrySeconds = 30;

/**
 * The spec's own pin goes first; then what was `kept` in a status for this URL and refresh; then what the host found
 * out. Throws `ReconcileError` where the host said that there is no such thing.
 */
export function pinOf(
  wanted: Wanted,
  kept: readonly (StatusPin | undefined)[],
  seen: Pick<Observation, 'resolve' | 'time'>,
): Pin {
  const { url, rev, narHash, refresh = '' } = wanted;
  const pinned = lockedFromPin(url, { ...(rev && { rev }), ...(narHash && { narHash }) });
  if (pinned) return { state: 'known', locked: pinned, record: recordOf(wanted, pinned) };

  const found = kept.find((pin) => pin?.url === url && (pin.refresh ?? '') === refresh);
  if (found?.locked !== undefined) {
    return { state: 'known', locked: parseLocked(JSON.parse(found.locked)), record: found };
  }
  const asking = { url, refresh };
  const answer = seen.resolve;
  if (answer?.urlB64 !== url || answer.refreshB64 !== refresh) return { state: 'unknown', asking };
  const seconds = seen.time - answer.startedAt;
  if (answer.state === 'Running') return { state: 'asked', seconds };
  if (answer.state === 'Failed') {
    if (seconds >= retrySeconds) return { state: 'unknown', asking };
    const message = withAdvice('NixpkgsUnresolved', `the host cannot resolve ${url}: ${answer.messageB64}`);
    throw new ReconcileError('transient', 'NixpkgsUnresolved', message, { recheckMs: 10_000 });
  }
  const locked = parseLocked(JSON.parse(answer.lockedB64));
  return { state: 'known', locked, record: recordOf(wanted, locked) };
}

/** What a status keeps of an answer. */
export function recordOf({ url, refresh }: Pick<Wanted, 'url' | 'refresh'>, locked: Locked): ClusterPin {
  return {
    url,
    ...(refresh && { refresh }),
    ...('rev' in locked && locked.rev !== undefined && { rev: locked.rev }),
    narHash: locked.narHash,
    ...(locked.lastModified !== undefined && { lastModified: locked.lastModified }),
    locked: JSON.stringify(locked),
  };
}

/** What the release that runs on a host was built from, in its own words; undefined where it does not say. */
export function pinOfHost({ nixpkgs }: ReleaseRecord): StatusPin | undefined {
  if (!nixpkgs) return undefined;
  try {
    return recordOf(nixpkgs, parseLocked(JSON.parse(nixpkgs.locked)));
  } catch {
    return undefined;
  }
}
