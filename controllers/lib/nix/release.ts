import { createHash, createHmac } from 'node:crypto';
import { ReconcileError } from '../core/outcome.ts';
import type { Sealed } from '../core/sealed.ts';
import type { Parts } from '../host/protocol.ts';
import type { Tree } from './tree.ts';

/** What the host's systems must be able to read; raised when the layout of a part changes (protocol.md, "Parts"). */
export const formats = { data: 1, secrets: 1 } as const;

/** The name of a release: 12 hex digits that follow from its parts and their formats alone. */
export function releaseId(parts: Parts): string {
  const identity = `firn release\n${formats.data} ${formats.secrets}\n${parts.system}\n${parts.data}\n${parts.secrets}\n`;
  return createHash('sha256').update(identity).digest('hex').slice(0, 12);
}

/** Where a file that is delivered beside the system appears on the host, and whose it is. */
export type Placement = {
  /** Absolute and normalised. */
  path: string;
  /** Permission bits: `0o400`. */
  mode: number;
  owner: string;
  group: string;
  restartUnits: readonly string[];
  reloadUnits: readonly string[];
};

export type DeliveredFile = Placement & { content: Sealed<Uint8Array> };

/** A file that is made when it is sent and that nobody but the host keeps: it is named by what it is for. */
export type MadeFile = Placement & {
  /** Everything that a new content follows from. */
  purpose: string;
  /** The part stored on the host that has the file already; null where it is to be made. */
  keptIn: string | null;
};

export type SecretFile = DeliveredFile | MadeFile;

const isMade = (file: SecretFile): file is MadeFile => 'purpose' in file;

/**
 * The name of the secrets part. It goes to statuses and hosts, so it is keyed: nobody without the installation's key can
 * find out a short secret by trying. The encoding is one JSON line per file, in the order of paths: the content in base64,
 * or the purpose as a list of one, so that the same set of files has the same name wherever they come from.
 */
export function secretsPartHash(hmacKey: Sealed<Uint8Array>, files: readonly SecretFile[]): string {
  const hmac = createHmac('sha256', hmacKey.open());
  for (const file of inOrder(files)) {
    const content = isMade(file) ? [file.purpose] : Buffer.from(file.content.open()).toString('base64');
    const { path, mode, owner, group, restartUnits, reloadUnits } = file;
    hmac.update(`${JSON.stringify([path, mode, owner, group, restartUnits, reloadUnits, content])}\n`);
  }
  return hmac.digest('hex');
}

/**
 * The secrets part as the host program reads it: `index`, and the contents in files `0`, `1`, …. A line of the index is
 * `<source> <mode, octal> <owner> <group> <path, base64> <units to restart, comma separated, or -> <units to reload, or ->`;
 * the source is the number of a content, or `=<part>`: the host takes the file of that path from a part that it has.
 * `made` has the contents of files to be made, by path. The tree holds secrets in the clear: it goes into a payload
 * and nowhere else.
 */
export function secretsTree(
  files: readonly SecretFile[],
  made: ReadonlyMap<string, Sealed<Uint8Array>> = new Map(),
): Tree {
  const contents: Uint8Array[] = [];
  const index = inOrder(files).map((file) => {
    const mode = file.mode.toString(8).padStart(4, '0');
    const path = Buffer.from(file.path, 'utf8').toString('base64');
    const units = [file.restartUnits, file.reloadUnits].map((names) => names.join(',') || '-');
    return `${[sourceOf(file, made, contents), mode, file.owner, file.group, path, ...units].join(' ')}\n`;
  });
  return new Map<string, string | Uint8Array>([
    ['index', index.join('')],
    ...contents.map((content, number) => [String(number), content] as const),
  ]);
}

function sourceOf(
  file: SecretFile,
  made: ReadonlyMap<string, Sealed<Uint8Array>>,
  contents: Uint8Array[],
): string {
  if (isMade(file) && file.keptIn !== null) return `=${file.keptIn}`;
  const content = isMade(file) ? made.get(file.path) : file.content;
  if (content === undefined) throw new Error(`nothing was made for ${file.path}`);
  return String(contents.push(content.open()) - 1);
}

/** What a host knows of the other nodes. */
export type FleetData = {
  /** Lines of hosts(5): an address and its names. */
  readonly hosts: readonly { address: string; names: readonly string[] }[];
  /** Further files, by path. */
  readonly files?: Tree;
};

/** The data part: `hosts`, in the format of hosts(5), sorted; and what else is given. */
export function dataTree({ hosts, files = new Map() }: FleetData): Tree {
  const lines = hosts.map(({ address, names }) => {
    if (!/^[0-9a-fA-F.:]+$/.test(address) || !names.every((name) => hostName.test(name))) {
      const shown = JSON.stringify(names.join(' '));
      throw refuse(`${shown} at ${JSON.stringify(address)} is not a line of a hosts file`);
    }
    return `${address} ${names.join(' ')}\n`;
  });
  return new Map<string, string | Uint8Array>([['hosts', [...new Set(lines)].sort().join('')], ...files]);
}

const hostName = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/;
const account = /^[A-Za-z_][A-Za-z0-9_-]{0,31}\$?$|^[0-9]{1,10}$/;
/** systemd.unit(5): the characters of a unit's name, and the types that can be restarted or reloaded. */
const unit = /^[A-Za-z0-9:_.\\@-]{1,246}\.(service|socket|target|timer|path|mount)$/;

function inOrder<F extends Placement>(files: readonly F[]): F[] {
  const paths = new Set<string>();
  for (const file of files) {
    const shown = JSON.stringify(file.path);
    const segments = file.path.split('/');
    if (segments.length < 2 || segments.shift() !== '' || segments.some((s) => ['', '.', '..'].includes(s))) {
      throw refuse(`${shown} is not an absolute path in its shortest form`);
    }
    // A newline would be a second line wherever a path is printed; NUL ends every path.
    if (/[\0-\x1f\x7f]/.test(file.path)) throw refuse(`the path ${shown} has control characters`);
    if (!Number.isInteger(file.mode) || file.mode < 0 || file.mode > 0o777) {
      throw refuse(`the mode of ${shown} is not within 0000 and 0777`);
    }
    if (!account.test(file.owner)) throw refuse(`the owner of ${shown} is not a user name`);
    if (!account.test(file.group)) throw refuse(`the group of ${shown} is not a group name`);
    const wrongUnit = [...file.restartUnits, ...file.reloadUnits].find((name) => !unit.test(name));
    if (wrongUnit !== undefined) {
      throw refuse(`${JSON.stringify(wrongUnit)}, named for ${shown}, is not a unit that can be restarted`);
    }
    if (paths.has(file.path)) throw refuse(`two files are to be delivered to ${shown}`);
    paths.add(file.path);
  }
  return [...files].sort((a, b) => (a.path < b.path ? -1 : 1));
}

const refuse = (message: string): ReconcileError => new ReconcileError('terminal', 'InvalidFile', message);
