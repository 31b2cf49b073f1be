import { buffer } from 'node:stream/consumers';
import { pack } from 'tar-stream';
import type { PartName } from '../host/protocol.ts';
import { assertTree, type Tree } from './tree.ts';

/** Where the host program looks for each part in the payload of `stage`. */
const folders: Record<PartName, string> = { system: 'bundle', data: 'data', secrets: 'secrets' };
/** Files of the system and of fleet data may be read by everybody on the host. */
const modes: Record<PartName, { file: number; folder: number }> = {
  system: { file: 0o644, folder: 0o755 },
  data: { file: 0o644, folder: 0o755 },
  secrets: { file: 0o600, folder: 0o700 },
};

/**
 * The payload of `stage`: a tar of the given parts, in which nothing depends on when or where it was made. Equal trees
 * give equal bytes. A part that is given but has no files is an empty folder.
 */
export async function packParts(parts: Partial<Record<PartName, Tree>>): Promise<Uint8Array> {
  const archive = pack();
  const whole = buffer(archive);
  const common = { mtime: new Date(0), uid: 0, gid: 0, uname: '', gname: '' };
  for (const part of ['system', 'data', 'secrets'] as const) {
    const tree = parts[part];
    if (tree === undefined) continue;
    assertTree(tree);
    archive.entry({ ...common, name: folders[part], type: 'directory', mode: modes[part].folder });
    for (const [path, content] of [...tree].sort(([a], [b]) => (a < b ? -1 : 1))) {
      archive.entry(
        { ...common, name: `${folders[part]}/${path}`, mode: modes[part].file },
        Buffer.from(content),
      );
    }
  }
  archive.finalize();
  return whole;
}
