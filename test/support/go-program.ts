import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheDirectory } from '../../bootstrap/cache-directory.ts';

const run = promisify(execFile);

/** The program of a folder of Go: built once, kept by the hash of its files. Dependencies are those of its go.sum. */
export async function goProgram(source: string, name: string): Promise<string> {
  const hash = createHash('sha256');
  for (const file of readdirSync(source).sort()) hash.update(file).update(readFileSync(join(source, file)));
  const folder = join(cacheDirectory(process.env), 'test', `${name}-${hash.digest('hex').slice(0, 16)}`);
  const file = join(folder, name);
  if (existsSync(file)) return file;
  mkdirSync(folder, { recursive: true });
  // Several may build it at once; the last one to be done takes the place of others like it.
  const made = `${file}.${process.pid}`;
  const env = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '', GOWORK: 'off' };
  const flags = ['build', '-trimpath', '-buildvcs=false', '-mod=readonly', '-o', made, '.'];
  await run('go', flags, { cwd: source, env, timeout: 300_000 });
  renameSync(made, file);
  return file;
}
