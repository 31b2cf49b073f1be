import { createHash } from 'node:crypto';

/**
 * Files of one part of a release, by path. Paths are relative, use `/`, and consist of
 * `[A-Za-z0-9._+-]` segments that are neither `.` nor `..`; `assertTree` refuses all else.
 */
export type Tree = ReadonlyMap<string, string | Uint8Array>;

const segment = /^(?!\.{1,2}$)[A-Za-z0-9._+-]{1,128}$/;

/** Throws on a path that a shell, tar or `find | sort` could read differently than we do. */
export function assertTree(tree: Tree): void {
  for (const path of tree.keys()) {
    if (!path.split('/').every((part) => segment.test(part))) {
      throw new Error(`not a path for a release's file: ${JSON.stringify(path)}`);
    }
  }
}

/**
 * The name of a tree: SHA-256, in hex, over one line `<sha256 of content>  <path>` per file, sorted by
 * path bytewise. The host computes the same with `find | LC_ALL=C sort | sha256sum`.
 */
export function hashTree(tree: Tree): string {
  assertTree(tree);
  const lines = [...tree]
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([path, content]) => `${createHash('sha256').update(content).digest('hex')}  ${path}\n`);
  return createHash('sha256').update(lines.join('')).digest('hex');
}
