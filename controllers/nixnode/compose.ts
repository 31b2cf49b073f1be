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
 * retried nor keeps new data and secrets from the host. A confirmed part that a user rejected gives way to that of
 * `previous`, the release that was confirmed before it.
 */
export function compose(
  wanted: Parts,
  seen: Pick<Observation, 'bad' | 'releases' | 'confirmed'>,
  previous?: string,
): Composed {
  const isBad = (part: PartName, hash: string) =>
    seen.bad.some((bad) => bad.part === part && bad.hash === hash);
  const held = seen.bad.filter((bad) => wanted[bad.part] === bad.hash);
  const fallbacks = [seen.confirmed, previous].map((id) =>
    seen.releases.find((release) => release.id === id),
  );
  const chosen = partNames.map((part) => {
    const candidates = [wanted, ...fallbacks.map((release) => release?.parts)];
    return [part, candidates.find((parts) => parts && !isBad(part, parts[part]))?.[part]] as const;
  });
  if (chosen.some(([, hash]) => hash === undefined)) return { parts: null, held };
  return { parts: Object.fromEntries(chosen) as Parts, held };
}
