/** Go's crypto/x509 as a verifier of certificates: built once, kept by the hash of its source. */
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheDirectory } from '../../bootstrap/cache-directory.ts';

const run = promisify(execFile);
const source = join(import.meta.dirname, 'go-x509');

/** `chain`: the leaf and what is served behind it; `trust`: bundle. Both PEM. `name`: asked for of servers. */
export type Verification = { chain: string; trust: string; as: 'server' | 'client'; name?: string };

/** What Go says against each, in order; empty where it accepts. */
export async function verifyWithGo(cases: readonly Verification[]): Promise<string[]> {
  const child = spawn(await program(), { timeout: 60_000, stdio: ['pipe', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  child.stdin.end(JSON.stringify(cases));
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`go-x509 ended with ${code}`);
  return JSON.parse(said) as string[];
}

async function program(): Promise<string> {
  const hash = createHash('sha256');
  for (const file of ['go.mod', 'main.go']) hash.update(readFileSync(join(source, file)));
  const folder = join(cacheDirectory(process.env), 'test', `go-x509-${hash.digest('hex').slice(0, 16)}`);
  const file = join(folder, 'go-x509');
  if (existsSync(file)) return file;
  mkdirSync(folder, { recursive: true });
  const made = `${file}.${process.pid}`;
  const env = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '', GOWORK: 'off' };
  await run('go', ['build', '-trimpath', '-o', made, '.'], { cwd: source, env, timeout: 300_000 });
  renameSync(made, file);
  return file;
}
