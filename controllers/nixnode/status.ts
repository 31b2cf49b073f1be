/** What a host said, as status tells it. Pure. */
import type { NixNode, NixNodeStatus } from '../../crds/index.ts';
import type { Observation } from '../lib/host/protocol.ts';

/** Every field that follows from one observation; `undefined` removes what is not true any more. */
export type Seen = Partial<{ [F in keyof NixNodeStatus]: NixNodeStatus[F] | undefined }>;

/** Enough to see what went wrong lately; the host remembers all of it. */
const badShown = 16;

export function statusOf(node: NixNode, seen: Observation): Seen {
  return {
    facts: {
      hostname: seen.facts.hostnameB64,
      system: seen.facts.system,
      kernel: seen.facts.kernelB64,
      nixVersion: seen.facts.nixVersionB64,
      systemdVersion: seen.facts.systemdVersion,
      cpus: seen.facts.cpus,
      memoryBytes: seen.facts.memoryBytes,
      addresses: [...seen.facts.addresses].sort(),
    },
    nixosVersion: seen.facts.nixosVersionB64 || undefined,
    bootId: seen.bootId,
    generation: seen.running.generation ?? undefined,
    index: node.spec.index,
    parts: seen.releases.find((release) => release.id === seen.current)?.parts,
    trial: trialOf(seen),
    bad: badOf(seen),
    rebootDue: seen.trial?.state === 'RebootDue' || undefined,
    lastObserved: lastObserved(node.status?.lastObserved, seen.time),
  };
}

/** Moves in steps, or every look at a host would be a write to the API. */
const lastObservedStepSeconds = 600;

function lastObserved(former: string | undefined, now: number): string {
  const age = former === undefined ? Number.POSITIVE_INFINITY : now - Date.parse(former) / 1000;
  return former !== undefined && age >= 0 && age < lastObservedStepSeconds ? former : timestamp(now);
}

/** Of the release the host's own word; what was confirmed before is kept when that moves on. */
export function releaseOf(
  node: NixNode,
  seen: Observation,
  desired: string | undefined,
): NixNodeStatus['release'] {
  const former = node.status?.release;
  const previous =
    former?.confirmed !== undefined && former.confirmed !== seen.confirmed
      ? former.confirmed
      : former?.previous;
  return {
    ...(desired !== undefined && { desired }),
    ...(seen.current !== null && { current: seen.current }),
    ...(seen.confirmed !== null && { confirmed: seen.confirmed }),
    ...(previous !== undefined && { previous }),
  };
}

function trialOf({ trial }: Observation): NixNodeStatus['trial'] {
  if (!trial) return undefined;
  const { id, attempt, state, reason, messageB64, deadline } = trial;
  return {
    id,
    attempt,
    state,
    ...(reason !== null && { reason }),
    ...(messageB64 !== '' && { message: messageB64 }),
    ...(deadline !== null && { deadline: timestamp(deadline) }),
  };
}

function badOf({ bad }: Observation): NixNodeStatus['bad'] {
  if (bad.length === 0) return undefined;
  const newest = [...bad].sort((a, b) => b.at - a.at || a.hash.localeCompare(b.hash)).slice(0, badShown);
  return newest.map(({ part, hash, reason, messageB64, at }) => ({
    part,
    hash,
    reason,
    ...(messageB64 !== '' && { message: messageB64 }),
    at: timestamp(at),
  }));
}

/** RFC 3339, in whole seconds. */
export const timestamp = (unixSeconds: number): string =>
  new Date(unixSeconds * 1000).toISOString().replace('.000Z', 'Z');
