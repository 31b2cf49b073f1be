import { copyFileSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { type Layer, layer } from './layer.ts';
import { offline } from './offline.ts';
import { userland, userlandFile } from './userland.ts';

const standIn = join(import.meta.dirname, '../../nixos');

/**
 * A host as an installer leaves it: the stand-in for nixpkgs as `/srv/nixpkgs`, a second version of it as
 * `/srv/nixpkgs-next`, and its `release0` built, in the profile, and the boot default.
 */
export async function nixosHost(): Promise<Layer> {
  const recipe = readFileSync(import.meta.filename, 'utf8');
  // Read once: somebody may be editing them.
  const files = sources();
  return layer('nixos', recipe + JSON.stringify(files), await userland(), async (root) => {
    for (const folder of ['srv/nixpkgs', 'srv/nixpkgs-next']) writeStandIn(files, root, folder);
    writeFileSync(join(root, 'srv/nixpkgs-next/lib/.version-suffix'), '.next\n');
    const path = `${readFileSync(join(root, userlandFile), 'utf8').trim()}/bin`;
    await offline(root, path, install);
  });
}

const install = `set -eu
nix() { command nix --extra-experimental-features 'nix-command flakes' "$@"; }
system=$(nix build --no-link --print-out-paths --print-build-logs path:/srv/nixpkgs#release0)
nix-env --profile /nix/var/nix/profiles/system --set "$system"
printf '%s\\n' "$system" >/boot/firn-loader/default
`;

type SourceFile = { path: string; mode: number; text: string };

/** All of the stand-in that Nix reads. */
function sources(): SourceFile[] {
  return readdirSync(standIn, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.md') && !entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => ({
      path: relative(standIn, path),
      mode: statSync(path).mode & 0o777,
      text: readFileSync(path, 'latin1'),
    }));
}

function writeStandIn(files: SourceFile[], root: string, to: string): void {
  for (const { path, mode, text } of files) {
    const target = join(root, to, path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, text, { encoding: 'latin1', mode });
  }
  copyFileSync(join(root, userlandFile), join(root, to, 'userland'));
}
