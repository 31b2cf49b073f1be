/**
 * What is secret in a test file, and everything in which it could get out. Secrets come in by themselves: every Secret
 * that kubectl applies or an API server holds, every login key that a support makes. Places come in when a support
 * starts something. Both are searched before the file ends (setup.ts), and a place also when it is stopped earlier, so
 * that no author of a test has to think of it.
 */
import { argumentsOfAll } from './arguments.ts';
import { findIn, type Pattern, patternsOf } from './forms.ts';

export type Place = {
  name: string;
  /** Secrets that only the place knows of; asked before anything is searched. */
  secrets?(): Promise<void>;
  /** Where in it a secret is, a sentence each. */
  search(patterns: readonly Pattern[]): Promise<string[]>;
};

const patterns = new Map<string, Pattern>();
const places = new Set<Place>();
const findings = new Set<string>();
const seenArguments = new Set<string>();
let sampling: NodeJS.Timeout | undefined;
let armed = false;

/** A process that lives shorter may be missed. */
const sampleMs = 100;

/** From here on secrets are looked for. What other programs than tests start with the supports is not searched. */
export function arm(): void {
  armed = true;
}

/** `name` is for messages. */
export function keepSecret(name: string, value: string | Uint8Array): void {
  if (!armed) return;
  for (const pattern of patternsOf(name, value)) patterns.set(pattern.text, pattern);
}

/** For a test that let a secret out on purpose. */
export function forgetSecret(value: string): void {
  for (const { text } of patternsOf('', value)) patterns.delete(text);
}

/** Has a place searched until the function that it returns was called, which searches it a last time. */
export function guard(place: Place): () => Promise<void> {
  if (!armed) return async () => {};
  places.add(place);
  sampling ??= setInterval(sampleArguments, sampleMs).unref();
  return async () => {
    if (!places.has(place)) return;
    for (const found of await searchPlaces([place])) findings.add(found);
    places.delete(place);
  };
}

export const guardText = (name: string, text: () => string): (() => Promise<void>) =>
  guard({ name, search: async (wanted) => findIn(wanted, text()) });

/** All that is known to have got out by now, a sentence each. */
export async function findLeaks(): Promise<string[]> {
  return [...findings, ...(await searchPlaces([...places])), ...searchArguments()];
}

/** For the end of a file: what is still running is not searched again when it is stopped. */
export async function findLeaksAtLast(): Promise<string[]> {
  clearInterval(sampling);
  const found = await findLeaks();
  places.clear();
  return found;
}

async function searchPlaces(wanted: readonly Place[]): Promise<string[]> {
  const broken: string[] = [];
  const attempt = async <T>(place: Place, work: () => Promise<T> | undefined): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      broken.push(`${place.name}: cannot be searched: ${error instanceof Error ? error.message : error}`);
      return undefined;
    }
  };
  for (const place of wanted) await attempt(place, () => place.secrets?.());
  const all = [...patterns.values()];
  if (all.length === 0) return broken;
  const found = await Promise.all(
    wanted.map(async (place) => {
      const words = await attempt(place, () => place.search(all));
      return (words ?? []).map((word) => `${place.name}: ${word}`);
    }),
  );
  return [...found.flat(), ...broken];
}

function sampleArguments(): void {
  for (const text of argumentsOfAll()) seenArguments.add(text);
}

function searchArguments(): string[] {
  sampleArguments();
  const all = [...patterns.values()];
  return [...seenArguments].flatMap((text) =>
    findIn(all, text).map((found) => `a process's arguments: ${found}`),
  );
}
