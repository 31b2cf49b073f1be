import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Asset, type AssetName, assets, moduleDirectory } from './assets.ts';
import { cacheDirectory } from './cache-directory.ts';
import { findInPath, findNamed, versionOf } from './find.ts';
import { requireGo } from './go.ts';
import { tryLock } from './lock.ts';
import { type Progress, terminalProgress } from './progress.ts';

export type BuildOptions = {
  environment?: NodeJS.ProcessEnv;
  progress?: Progress;
  signal?: AbortSignal;
  /** What to build instead of the program's usual release. */
  asset?: Asset;
};

/** More than a cold build of everything takes on a slow machine. */
const buildDeadlineMs = 45 * 60_000;

/**
 * The path of a program: one from `FIRN_ASSETS`, `KUBEBUILDER_ASSETS`, an earlier build or `PATH` that has the right minor
 * version, or one built from the Go module proxy into the cache. Errors are sentences that say what to do.
 */
export async function buildAsset(name: AssetName, options: BuildOptions = {}): Promise<string> {
  const { environment = process.env, progress = terminalProgress(process.stderr) } = options;
  const asset = options.asset ?? assets[name];
  const named = await findNamed(name, asset, environment, progress.note);
  if (named !== null) return named;
  const folder = join(cacheDirectory(environment), 'assets', `${asset.module}-${keyOf(asset)}`);
  const file = join(folder, name);
  if (existsSync(file)) return file;
  const inPath = await findInPath(name, asset, environment);
  if (inPath !== null) return inPath;
  const signal = AbortSignal.any([
    AbortSignal.timeout(buildDeadlineMs),
    ...(options.signal === undefined ? [] : [options.signal]),
  ]);
  await requireGo(name, asset, environment);
  mkdirSync(folder, { recursive: true });
  using _lock = await waitForLock(join(folder, `${name}.lock`), name, progress, signal);
  if (existsSync(file)) return file; // built by whom we waited for
  await build(name, asset, file, { environment, progress, signal });
  return file;
}

/** What goes into a program decides its name: dependencies, flags and platform. */
function keyOf(asset: Asset): string {
  const hash = createHash('sha256').update(JSON.stringify([asset.ldflags, process.platform, process.arch]));
  for (const file of ['go.mod', 'go.sum'])
    hash.update(readFileSync(join(moduleDirectory(asset.module), file)));
  return hash.digest('hex').slice(0, 16);
}

async function waitForLock(file: string, name: string, progress: Progress, signal: AbortSignal) {
  for (let waits = 0; ; waits++) {
    const lock = tryLock(file);
    if (lock !== null) return lock;
    if (waits === 0) progress.note(`waiting for another process that builds ${name}`);
    await sleep(500, undefined, { signal });
  }
}

type Running = { environment: NodeJS.ProcessEnv; progress: Progress; signal: AbortSignal };

async function build(name: AssetName, asset: Asset, file: string, running: Running): Promise<void> {
  const folder = mkdtempSync(`${file}-`);
  try {
    await compile(name, asset, join(folder, name), running);
    const version = await versionOf(join(folder, name), asset);
    if (version !== asset.version) throw new Error(`the ${name} just built calls itself ${version}`);
    renameSync(join(folder, name), file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function compile(name: AssetName, asset: Asset, output: string, running: Running): Promise<void> {
  const { environment, progress, signal } = running;
  const line = progress.start(`building ${name} ${asset.version}`, asset.typicalSeconds);
  // -v names each package as it is compiled: the only sign of life that Go gives.
  const flags = ['-v', '-trimpath', '-buildvcs=false', '-mod=readonly', '-ldflags', asset.ldflags];
  const child = spawn('go', ['build', ...flags, '-o', output, asset.package], {
    cwd: moduleDirectory(asset.module),
    env: { ...environment, CGO_ENABLED: asset.cgo ? '1' : '0', GOFLAGS: '', GOWORK: 'off' },
    stdio: ['ignore', 'ignore', 'pipe'],
    signal,
  });
  const said: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said.push(...text.split('\n').filter((part) => part !== ''));
    line.update(said.at(-1) ?? '');
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  }).finally(() => line.end());
  if (code !== 0) {
    throw new Error(`go could not build ${name} (exit code ${code}):\n${said.slice(-20).join('\n')}`);
  }
}
