/** Kubeconfigs on disk: readable for their owner, whole or not at all, and not while somebody else changes them. */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { CliError } from './command.ts';
import { type Entry, entryText, holdsOnly, mergeEntry } from './kubeconfig-entry.ts';

/** The file that kubectl would write to: the first of KUBECONFIG, else that in the home folder. */
export function usualFile(environment: NodeJS.ProcessEnv): string {
  const [first] = (environment.KUBECONFIG ?? '').split(delimiter).filter((path) => path !== '');
  return first ?? join(environment.HOME ?? homedir(), '.kube', 'config');
}

/** Returns the path of the file that was changed, behind symbolic links. */
export function mergeInto(path: string, entry: Entry): string {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  return change(path, (text) => mergeEntry(text, entry));
}

/** Replaces a file that has nothing else in it. */
export function writeAlone(path: string, entry: Entry): string {
  return change(path, (text) => {
    if (!holdsOnly(text, entry)) throw new CliError(`${path} has other entries: add to it with --merge`);
    return entryText(entry);
  });
}

function change(given: string, edit: (text: string) => string): string {
  const path = existsSync(given) ? realpathSync(given) : given;
  const unlock = lock(path);
  try {
    const text = edit(existsSync(path) ? readFileSync(path, 'utf8') : '');
    const fresh = `${path}.new`;
    // Whoever left one there, be it as a link, must not get to read what is written.
    rmSync(fresh, { force: true });
    writeFileSync(fresh, text, { flag: 'wx', mode: 0o600, flush: true });
    renameSync(fresh, path);
    return path;
  } finally {
    unlock();
  }
}

/** As kubectl locks the file that it changes. */
function lock(path: string): () => void {
  const file = `${path}.lock`;
  try {
    closeSync(openSync(file, 'wx', 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new CliError(`${path} is being changed by another program; if that is not so, remove ${file}`);
  }
  return () => rmSync(file, { force: true });
}
