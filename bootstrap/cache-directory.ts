import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** Where builds and downloads are kept between runs: `FIRN_CACHE`, or a folder of the user's cache. Absolute. */
export function cacheDirectory(environment: NodeJS.ProcessEnv): string {
  const { FIRN_CACHE, XDG_CACHE_HOME } = environment;
  return resolve(FIRN_CACHE || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'firn'));
}
