import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Tree } from '../controllers/lib/nix/tree.ts';
import { CliError } from './command.ts';
import { printable, type Terminal } from './terminal.ts';

export type Bundle = { name: string; tree: Tree; notes: readonly string[] };

/** Firn's own modules, the same in every bundle: written to a folder, not printed. */
const shipped = /^firn\//;

/** Every file under a line with its name. */
export function printBundle({ name, tree }: Bundle, { out, style }: Terminal): void {
  for (const [path, content] of tree) {
    if (shipped.test(path)) continue;
    out(style('bold', `# --- ${name}/${path}`));
    out(printable(typeof content === 'string' ? content.trimEnd() : `# ${content.length} bytes`));
    out('');
  }
}

/** Writes the files below `DIR/NODE`, which must not hold anything yet: an old file would become part of the flake. */
export function writeBundle({ name, tree }: Bundle, folder: string): string {
  const root = join(folder, name);
  if (existsSync(root) && readdirSync(root).length > 0) {
    throw new CliError(`${root} is not empty; remove it, or name another folder with --out`);
  }
  for (const [path, content] of tree) {
    const file = join(root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
  return root;
}
