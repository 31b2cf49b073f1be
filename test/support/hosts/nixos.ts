import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
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
  return layer('nixos', recipe + JSON.stringify(sources()), await userland(), async (root) => {
    copyStandIn(root, 'srv/nixpkgs');
    copyStandIn(root, 'srv/nixpkgs-next');
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

/** Path and text of every file of the stand-in that Nix reads. */
function sources(): [string, string][] {
  return readdirSync(standIn, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.md') && !entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => [path.slice(standIn.length), readFileSync(path, 'latin1')]);
}

function copyStandIn(root: string, to: string): void {
  const folder = join(root, to);
  mkdirSync(folder, { recursive: true });
  cpSync(standIn, folder, { recursive: true, filter: (path) => !path.endsWith('.md') });
  cpSync(join(root, userlandFile), join(folder, 'userland'));
}
