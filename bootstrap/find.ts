import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import type { Asset } from './assets.ts';

const run = promisify(execFile);

/** Folders that the user names on purpose; a wrong version in one of them is worth a word. */
export async function findNamed(
  name: string,
  asset: Asset,
  environment: NodeJS.ProcessEnv,
  report: (line: string) => void,
): Promise<string | null> {
  for (const folder of [environment.FIRN_ASSETS, environment.KUBEBUILDER_ASSETS]) {
    const file = join(folder || '/nonexistent', name);
    if (!(await isExecutable(file))) continue;
    const version = await versionOf(file, asset);
    if (version !== null && minorOf(version) === minorOf(asset.version)) return file;
    report(`${file} is ${version ?? 'of an unknown version'}, not ${minorOf(asset.version)}: not used`);
  }
  return null;
}

/** A program in `PATH`, if it has the right minor version. */
export async function findInPath(
  name: string,
  asset: Asset,
  environment: NodeJS.ProcessEnv,
): Promise<string | null> {
  for (const folder of (environment.PATH ?? '').split(delimiter)) {
    const file = join(folder, name);
    if (!(await isExecutable(file))) continue;
    const version = await versionOf(file, asset);
    if (version !== null && minorOf(version) === minorOf(asset.version)) return file;
  }
  return null;
}

/** `1.36.3`; null where the program cannot be run or does not say. */
export async function versionOf(file: string, asset: Asset): Promise<string | null> {
  try {
    const { stdout, stderr } = await run(file, [...asset.versionArguments], { timeout: 10_000 });
    return /\bv?(\d+\.\d+\.\d+)/.exec(stdout + stderr)?.[1] ?? null;
  } catch {
    return null;
  }
}

const minorOf = (version: string): string => version.split('.').slice(0, 2).join('.');

async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
