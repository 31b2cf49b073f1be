import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where builds and downloads are kept between runs: `FIRN_CACHE`, or a folder of the user's cache. */
export function cacheDirectory(environment: NodeJS.ProcessEnv): string {
  return environment.FIRN_CACHE || join(environment.XDG_CACHE_HOME || join(homedir(), '.cache'), 'firn');
}
