import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Writes a file of the data folder, whole or not at all, and never readable for others. */
export function writePrivate(directory: string, file: string, content: string): void {
  const path = join(directory, file);
  writeFileSync(`${path}.new`, content, { mode: 0o600, flush: true });
  renameSync(`${path}.new`, path);
}
