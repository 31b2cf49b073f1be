import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { type BuildOptions, buildAsset } from './build.ts';

/** What people type for kubectl: that word where they have one of any version, else the path of one built here. */
export async function findKubectl(options: BuildOptions): Promise<string> {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    try {
      await access(join(folder, 'kubectl'), constants.X_OK);
      return 'kubectl';
    } catch {
      // not in this folder
    }
  }
  return buildAsset('kubectl', options);
}
