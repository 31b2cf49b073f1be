/** What a host said, as status tells it. Pure. */
import type { NixNode, NixNodeStatus } from '../../crds/index.ts';
import { clip } from '../lib/core/clip.ts';
import { timestamp } from '../lib/core/timestamp.ts';
import type { Observation } from '../lib/host/protocol.ts';
import { classOf, restartsServers, stopsPods, type Wanted } from './gate.ts';
import { etcdStatusOf, frontendsOf, memberOf, pkiStatusOf } from './member-status.ts';

/** Every field that follows from one observation; `undefined` removes what is not true any more. */
export type Seen = Partial<{ [F in keyof NixNodeStatus]: NixNodeStatus[F] | undefined }>;

/** Enough to see what went wrong lately; the host remembers all of it. */
const badShown = 16;
/** Bounds of crds/nixnode-status.ts: what does not fit there would cost the whole status. */
const maxWord = 1024;
const maxAddresses = 1024;
/** Less than the CRD allows: sixteen of them still leave room in an object. The host says at most so much, too. */
const maxWords = 4096;

/** `nowMs` is ours: a host's clock may be wrong. */
export function statusOf(node: NixNode, seen: Observation, desired: string | undefined, nowMs: number): Seen {
  const member = memberOf(seen);
  const rebootDue = seen.trial?.state === 'RebootDue' && seen.trial.id === desired;
  return {
    facts: {
      hostname: clip(seen.facts.hostnameB64, maxWord),
      system: seen.facts.system,
      kernel: clip(seen.facts.kernelB64, maxWord),
      nixVersion: clip(seen.facts.nixVersionB64, maxWord),
      systemdVersion: seen.facts.systemdVersion,
      cpus: seen.facts.cpus,
      memoryBytes: seen.facts.memoryBytes,
      addresses: [...seen.facts.addresses].sort().slice(0, maxAddresses),
    },
    nixosVersion: clip(seen.facts.nixosVersionB64, maxWord) || undefined,
    bootId: seen.bootId,
    generation: seen.running.generation ?? undefined,
    roles: [...node.spec.roles].sort().join(',') || undefined,
    index: member?.index ?? node.spec.index,
    member,
    pki: pkiStatusOf(seen),
    etcd: etcdStatusOf(node, seen),
    frontends: frontendsOf(seen),
    parts: seen.releases.find((release) => release.id === seen.current)?.parts,
    trial: trialOf(seen),
    bad: badOf(seen),
    rebootDue: rebootDue || undefined,
    lastObserved: isObservedAnew(node, nowMs) ? timestamp(nowMs) : node.status?.lastObserved,
  };
}

/** Moves in steps, or every look at a host would be a write to the API. */
export const lastObservedStepSeconds = 600;

/** Whether it is time to say once more that the host was looked at, and what moves with every look. */
export function isObservedAnew({ status }: NixNode, nowMs: number): boolean {
  const age = nowMs / 1000 - Date.parse(status?.lastObserved ?? '') / 1000;
  return !(age >= 0 && age < lastObservedStepSeconds);
}

/** Of the release the host's own word; what was confirmed before is kept when that moves on. */
export function releaseOf(
  node: NixNode,
  seen: Observation,
  desired: string | undefined,
  wanted: Wanted | undefined,
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
    ...aheadOf(seen, desired, wanted, former),
  };
}

/** What there is to do for the desired release; while it is not rendered, what was said of it before. */
function aheadOf(
  seen: Observation,
  desired: string | undefined,
  wanted: Wanted | undefined,
  former: NixNodeStatus['release'],
): Pick<NonNullable<NixNodeStatus['release']>, 'class' | 'built' | 'stopsPods' | 'restartsServers'> {
  if (desired === undefined || seen.confirmed === desired) return {};
  const runs = seen.releases.find(({ id }) => id === seen.confirmed)?.parts;
  const part = wanted ? classOf(wanted.parts, runs) : former?.class;
  const built = seen.releases.some(({ id, system }) => id === desired && system !== null);
  const stops = part === 'system' && (wanted ? stopsPods(wanted, seen) : former?.stopsPods === true);
  // A key on trial is what runs, and servers may still restart with it, or with the former one when it is taken back.
  const isOpen = wanted === undefined || seen.current !== seen.confirmed;
  const restarts = (isOpen && former?.restartsServers) || (wanted && restartsServers(wanted, seen));
  return {
    ...(part && { class: part }),
    ...(built && { built }),
    ...(stops && { stopsPods: true }),
    ...(restarts && { restartsServers: true }),
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
    ...(messageB64 !== '' && { message: clip(messageB64, maxWords) }),
    ...(deadline !== null && { deadline: timestamp(deadline * 1000) }),
  };
}

function badOf({ bad }: Observation): NixNodeStatus['bad'] {
  if (bad.length === 0) return undefined;
  const newest = [...bad].sort((a, b) => b.at - a.at || a.hash.localeCompare(b.hash)).slice(0, badShown);
  return newest.map(({ part, hash, reason, messageB64, at }) => ({
    part,
    hash,
    reason,
    ...(messageB64 !== '' && { message: clip(messageB64, maxWords) }),
    at: timestamp(at * 1000),
  }));
}
