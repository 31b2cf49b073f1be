import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { AssetName } from '../../../bootstrap/assets.ts';
import { buildAsset } from '../../../bootstrap/build.ts';
import { debianBase } from './debian.ts';
import { type Layer, layer } from './layer.ts';
import { offline } from './offline.ts';

/** Where a host says what the store path of the userland is. */
export const userlandFile = 'nix/var/firn-userland';

const programFolders = ['usr/bin', 'usr/sbin'];
const staging = 'userland/debian-userland';

/** Of Debian's /etc: what belongs to one machine, or would switch on units. */
const notOfEtc = [
  'alternatives',
  'systemd/system',
  'systemd/network',
  'mtab',
  'shadow',
  'shadow-',
  'gshadow',
];

/** Programs that nixpkgs has and Debian has not, or not as nixpkgs has them. */
const built: readonly AssetName[] = ['wireguard-go', 'coredns'];

/**
 * Debian turned into a machine on which programs are found in the Nix store only, as on NixOS: what stays where it is
 * are libraries, data, `/bin/sh` and `/usr/bin/env`. test/nixos/README.md describes it from inside.
 */
export async function userland(): Promise<Layer> {
  const loader = readFileSync(join(import.meta.dirname, 'loader.sh'), 'utf8');
  const recipe = readFileSync(import.meta.filename, 'utf8');
  const programs = new Map<string, string>();
  for (const name of built) programs.set(name, await buildAsset(name));
  const content = loader + recipe + [...programs.values()].map((file) => file.split('/').slice(-2)).join(' ');
  return layer('userland', content, await debianBase(), async (root) => {
    const stage = join(root, staging);
    mkdirSync(join(stage, 'bin'), { recursive: true });
    for (const [name, file] of programs) copyFileSync(file, join(stage, 'bin', name));
    for (const folder of programFolders)
      for (const name of readdirSync(join(root, folder))) stageProgram(root, join(folder, name), stage);
    cpSync(join(root, 'usr/lib/systemd/system'), join(stage, 'lib/systemd/system'), verbatim);
    cpSync(join(root, 'etc'), join(stage, 'etc'), verbatim);
    for (const path of notOfEtc) rmSync(join(stage, 'etc', path), { recursive: true, force: true });
    await register(root);
    keepOnlyTwoPrograms(root, loader);
  });
}

const verbatim = { recursive: true, verbatimSymlinks: true };

function stageProgram(root: string, path: string, stage: string): void {
  const target = join(stage, 'bin', basename(path));
  if (!lstatSync(join(root, path)).isSymbolicLink()) {
    copyFileSync(join(root, path), target);
    withPortableInterpreter(target);
    return;
  }
  const end = followLinks(root, path);
  // Nowhere; or Debian has the same link in both folders.
  if (end === undefined || existsSync(target)) return;
  const isProgram = programFolders.includes(dirname(end));
  if (isProgram && basename(end) === basename(path)) return;
  symlinkSync(isProgram ? basename(end) : `/${end}`, target);
}

/** Where a path leads inside of the root, relative to it. Undefined: nowhere, or too far. */
function followLinks(root: string, path: string, hops = 10): string | undefined {
  const stat = lstatSync(join(root, path), { throwIfNoEntry: false });
  if (stat === undefined || hops === 0) return undefined;
  if (!stat.isSymbolicLink()) return path;
  const next = resolve('/', dirname(path), readlinkSync(join(root, path))).slice(1);
  return followLinks(root, next.replace(/^(bin|sbin)\//, 'usr/$1/'), hops - 1);
}

/** A content-addressed path cannot name itself, so scripts find perl and bash by PATH. */
function withPortableInterpreter(file: string): void {
  const content = readFileSync(file);
  const line = /^#! ?\/(?:usr\/)?bin\/(perl|bash)[^ \n]*([^\n]*)\n/.exec(content.toString('latin1', 0, 200));
  if (line === null) return;
  const [old, program, options] = line as unknown as [string, string, string];
  const interpreter = `#!/usr/bin/env ${options.trim() === '' ? program : `-S ${program} ${options.trim()}`}\n`;
  writeFileSync(file, Buffer.concat([Buffer.from(interpreter), content.subarray(old.length)]));
}

async function register(root: string): Promise<void> {
  const { stdout } = await offline(root, '/usr/bin:/usr/sbin', `nix-store --add /${staging}`);
  const path = stdout.trim();
  writeFileSync(join(root, userlandFile), `${path}\n`);
  mkdirSync(join(root, 'nix/var/nix/gcroots'), { recursive: true });
  symlinkSync(path, join(root, 'nix/var/nix/gcroots/firn-userland'));
  rmSync(join(root, dirname(staging)), { recursive: true });
}

function keepOnlyTwoPrograms(root: string, loader: string): void {
  const folder = join(root, 'usr/lib/firn-loader');
  mkdirSync(folder);
  const keep = (from: string, to: string) => {
    const content = readFileSync(join(root, from));
    return () => {
      mkdirSync(dirname(join(root, to)), { recursive: true });
      writeFileSync(join(root, to), content);
      chmodSync(join(root, to), 0o755);
    };
  };
  const kept = [
    keep('usr/bin/dash', 'bin/sh'),
    keep('usr/bin/env', 'usr/bin/env'),
    keep('usr/bin/busybox', 'usr/lib/firn-loader/busybox'),
  ];
  for (const path of ['bin', 'sbin', ...programFolders, 'usr/lib/systemd/system', 'usr/lib/systemd/network'])
    rmSync(join(root, path), { recursive: true });
  for (const path of readdirSync(join(root, 'etc'))) rmSync(join(root, 'etc', path), { recursive: true });
  for (const put of kept) put();
  writeFileSync(join(folder, 'init'), loader, { mode: 0o755 });
  for (const path of ['usr/lib/systemd/system', 'boot/firn-loader', 'var/lib/persist-etc'])
    mkdirSync(join(root, path), { recursive: true });
}
