/** The edge of this folder: reads nix/modules, which every bundle carries a copy of. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { assertTree, type Tree } from './tree.ts';

const shipped = join(import.meta.dirname, '../../../nix/modules');

/** Every module of nix/modules and the scripts that they run, with paths relative to it. Read once, at start. Links are refused: a bundle has only files. */
export function readFirnModules(folder: string = shipped): Tree {
  const tree = new Map<string, string>();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    if (entry.isSymbolicLink()) throw new Error(`${file} is a link; a bundle has only files`);
    if (entry.isFile() && /[.](nix|sh)$/.test(entry.name)) {
      tree.set(relative(folder, file), readFileSync(file, 'utf8'));
    }
  }
  if (!tree.has('default.nix')) throw new Error(`${folder} has no default.nix`);
  assertTree(tree);
  return new Map([...tree].sort(([a], [b]) => (a < b ? -1 : 1)));
}
