import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { extract } from 'tar-stream';
import type { PartName } from '../../../controllers/lib/host/protocol.ts';
import { hashTree, type Tree } from '../../../controllers/lib/nix/tree.ts';

const folders: Record<string, PartName> = { bundle: 'system', data: 'data', secrets: 'secrets' };

/** The parts in a payload of `stage`, by name; throws on what is not such a tar. */
export async function unpackParts(payload: Buffer): Promise<Partial<Record<PartName, Tree>>> {
  const parts: Partial<Record<PartName, Map<string, Uint8Array>>> = {};
  const archive = extract();
  const reading = (async () => {
    for await (const entry of archive) {
      const [folder = '', ...rest] = entry.header.name.replace(/\/$/, '').split('/');
      const part = folders[folder];
      if (part === undefined) throw new Error(`unexpected name ${entry.header.name}`);
      parts[part] ??= new Map();
      const content = await buffer(entry);
      if (entry.header.type === 'file') parts[part].set(rest.join('/'), content);
    }
  })();
  Readable.from([payload]).pipe(archive);
  await reading;
  return parts;
}

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/**
 * Whether a tree is what its hash says. The secrets' name is a keyed hash that the host cannot compute; it has to take
 * the operator's word.
 */
export const isPart = (part: PartName, hash: string, tree: Tree): boolean =>
  part === 'secrets' || hashTree(tree) === hash;
