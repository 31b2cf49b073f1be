/** Which release to aim for when a part of the wanted one was taken back before (protocol.md, "Parts"). */
import type { Observation, PartName, Parts } from '../lib/host/protocol.ts';
import { partNames } from '../lib/host/protocol.ts';

export type BadPart = Observation['bad'][number];

export type Composed = {
  /** Null where nothing good is known: a first release that is bad leaves the host as it was before Firn. */
  parts: Parts | null;
  /** Parts of the wanted release that are held back, with what went wrong; empty when all of it can be tried. */
  held: BadPart[];
};

/**
 * Every part that is remembered as bad is replaced by that of the confirmed release, so that a bad system neither is
 * retried nor keeps new data and secrets from the host.
 */
export function compose(wanted: Parts, seen: Pick<Observation, 'bad' | 'releases' | 'confirmed'>): Composed {
  const held = seen.bad.filter((bad) => wanted[bad.part] === bad.hash);
  if (held.length === 0) return { parts: wanted, held };
  const confirmed = seen.releases.find((release) => release.id === seen.confirmed)?.parts;
  if (!confirmed) return { parts: null, held };
  const isHeld = (part: PartName) => held.some((bad) => bad.part === part);
  const pick = (part: PartName) => (isHeld(part) ? confirmed[part] : wanted[part]);
  return { parts: Object.fromEntries(partNames.map((part) => [part, pick(part)])) as Parts, held };
}
