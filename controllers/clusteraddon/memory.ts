/** What need not be read or applied again as long as nothing changes. Only ever a saving: without it, everything is done anew. */
import { createHash } from 'node:crypto';
import { type Manifest, readManifests, type Source } from './manifests.ts';
import type { Health } from './seen.ts';

/** How an object was when it was last applied, and in which version. */
type Known = { version: string; health: Health };

export type Memory = {
  manifests: Manifest[];
  /** A manifest that was read anew is another one. */
  applied: Map<Manifest, Known>;
};

type Kept = Memory & { uid: string; digest: string };

/** One for each addon, by its UID. */
export class Memories {
  readonly #kept = new Map<string, Kept>();

  /** Throws as `readManifests`. */
  of(uid: string, sources: readonly Source[]): Memory {
    const hash = createHash('sha256');
    for (const { name, text } of sources) hash.update(`${name.length} ${text.length} ${name}${text}`);
    const digest = hash.digest('hex');
    const kept = this.#kept.get(uid);
    if (kept?.digest === digest) return kept;
    const made: Kept = { uid, digest, manifests: readManifests(sources), applied: new Map() };
    this.#kept.set(uid, made);
    return made;
  }

  forget(uid: string): void {
    this.#kept.delete(uid);
  }
}
