/** Go's crypto/x509 as a verifier of certificates: built once, kept by the hash of its source. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { goProgram } from './go-program.ts';

const source = join(import.meta.dirname, 'go-x509');

/** `chain`: the leaf and what is served behind it; `trust`: bundle. Both PEM. `name`: asked for of servers. */
export type Verification = { chain: string; trust: string; as: 'server' | 'client'; name?: string };

/** What Go says against each, in order; empty where it accepts. */
export async function verifyWithGo(cases: readonly Verification[]): Promise<string[]> {
  const child = spawn(await goProgram(source, 'go-x509'), {
    timeout: 60_000,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
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
