/**
 * Writes what is derived from the API and the controllers: `node scripts/generate.ts`. With `--check`, writes
 * nothing, names the files that are stale, and exits with 1 if there are any.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { chartFiles } from './generate/chart.ts';
import { crdFiles } from './generate/crds.ts';
import type { Generated } from './generate/generated.ts';
import { referencePages } from './generate/reference.ts';

const root = join(import.meta.dirname, '..');
const generators: readonly (() => Generated)[] = [crdFiles, referencePages, chartFiles];

const wanted = new Map<string, string>();
const owned: string[] = [];
for (const generate of generators) {
  const { files, folders } = generate();
  for (const [path, content] of files) wanted.set(path, content);
  owned.push(...folders);
}

const stale = [...wanted].filter(([path, content]) => readOrNull(path) !== content).map(([path]) => path);
const orphaned = owned
  .filter((folder) => existsSync(join(root, folder)))
  .flatMap((folder) => readdirSync(join(root, folder)).map((name) => `${folder}/${name}`))
  .filter((path) => !wanted.has(path));

if (process.argv.includes('--check')) {
  for (const path of [...stale, ...orphaned]) console.error(`stale: ${path}`);
  if (stale.length + orphaned.length > 0) {
    console.error('run: npm run generate');
    process.exit(1);
  }
} else {
  for (const path of stale) write(path, wanted.get(path)!);
  for (const path of orphaned) rmSync(join(root, path));
  console.log(`${wanted.size} generated files, ${stale.length} changed, ${orphaned.length} removed`);
}

function readOrNull(path: string): string | null {
  const full = join(root, path);
  return existsSync(full) ? readFileSync(full, 'utf8') : null;
}

function write(path: string, content: string): void {
  const full = join(root, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, content);
  console.log(`wrote ${relative(root, full)}`);
}
