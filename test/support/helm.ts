import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildAsset } from '../../bootstrap/build.ts';

export type HelmResult = { stdout: string; stderr: string; code: number };
export type Helm = Disposable & { run(...args: string[]): Promise<HelmResult> };

/** helm with its configuration and caches in a temporary folder, so that a user's own are neither read nor written. */
export async function startHelm(): Promise<Helm> {
  const program = await buildAsset('helm');
  const home = mkdtempSync(join(tmpdir(), 'firn-helm-'));
  const env = {
    PATH: process.env.PATH,
    HOME: home,
    HELM_CACHE_HOME: join(home, 'cache'),
    HELM_CONFIG_HOME: join(home, 'config'),
    HELM_DATA_HOME: join(home, 'data'),
  };
  return {
    run: (...args) =>
      new Promise((resolve, reject) => {
        const child = spawn(program, args, { env, timeout: 60_000, killSignal: 'SIGKILL' });
        const result: HelmResult = { stdout: '', stderr: '', code: -1 };
        child.stdout.setEncoding('utf8').on('data', (text: string) => {
          result.stdout += text;
        });
        child.stderr.setEncoding('utf8').on('data', (text: string) => {
          result.stderr += text;
        });
        child.once('error', reject);
        child.once('close', (code) => resolve({ ...result, code: code ?? -1 }));
      }),
    [Symbol.dispose]: () => rmSync(home, { recursive: true, force: true }),
  };
}
