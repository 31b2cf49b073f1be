import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheDirectory } from '../../bootstrap/cache-directory.ts';
import { profiling } from '../processes.ts';

/** A program that writes a status into every Probe and says nothing of interest. */
export type Contestant = { name: string; start: (kubeconfig: string, workers: number) => ChildProcess };

const program = join(import.meta.dirname, 'operator.ts');

export const firn = (profile: string | undefined): Contestant => ({
  name: 'firn',
  start: (kubeconfig, workers) =>
    spawn(process.execPath, [...profiling(profile), program, kubeconfig, String(workers)], quiet),
});

/** The Go peer, built on first use; a sentence when it is not to be had here. */
export async function controllerRuntime(): Promise<Contestant | string> {
  const peers = process.env.FIRN_PEERS || join(import.meta.dirname, '../../../shared/peers');
  const source = join(peers, 'controller-runtime');
  if (!existsSync(join(source, 'main.go')))
    return 'The peer is not here (FIRN_PEERS); Firn is measured alone.';
  const program = await build(source);
  const kind = ['--group=test.firn.dev', '--version=v1', '--kind=Probe'];
  return {
    name: 'controller-runtime',
    start: (kubeconfig, workers) =>
      spawn(program, [...kind, `--workers=${workers}`, '--qps=100000'], {
        ...quiet,
        env: { ...process.env, KUBECONFIG: kubeconfig },
      }),
  };
}

const quiet = { stdio: 'ignore' } as const;
const buildDeadlineMs = 600_000;

/** By content hash, so that a changed peer is another program. */
async function build(source: string): Promise<string> {
  const hash = createHash('sha256');
  for (const file of readdirSync(source).filter((name) => /\.(go|mod|sum)$/.test(name))) {
    hash.update(`${file}\0`).update(readFileSync(join(source, file)));
  }
  const folder = join(cacheDirectory(process.env), 'bench', hash.digest('hex').slice(0, 16));
  const program = join(folder, 'peer');
  if (existsSync(program)) return program;
  mkdirSync(folder, { recursive: true });
  const work = join(folder, `source.${process.pid}`);
  cpSync(source, work, { recursive: true });
  try {
    const args = ['build', '-trimpath', '-buildvcs=false', '-ldflags=-s -w', '-o', 'peer', '.'];
    await promisify(execFile)('go', args, { cwd: work, timeout: buildDeadlineMs });
    renameSync(join(work, 'peer'), program);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return program;
}
