/** The edge of this folder: reads nix/modules, which every bundle carries a copy of. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Tree } from './tree.ts';

const folder = join(import.meta.dirname, '../../../nix/modules');

/** Every file of nix/modules, with paths relative to it. Read once, at start. */
export const readFirnModules = (): Tree =>
  new Map(
    globSync('**/*.nix', { cwd: folder })
      .sort()
      .map((path) => [path, readFileSync(join(folder, path), 'utf8')]),
  );
