import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Layer, layer } from '../hosts/layer.ts';
import { nixosHost } from '../hosts/nixos.ts';
import { offline } from '../hosts/offline.ts';
import { userlandFile } from '../hosts/userland.ts';

const modules = join(import.meta.dirname, '../../../nix/modules');

/** A host of the stand-in for NixOS whose boot default has Firn's modules and the one given, built by Nix. */
export async function system(module: string): Promise<Layer> {
  const sources = readdirSync(modules, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => [path, readFileSync(path, 'utf8')]);
  const content = JSON.stringify([module, build, sources]);
  return layer('vm-system', content, await nixosHost(), async (root) => {
    cpSync(modules, join(root, 'srv/firn'), { recursive: true });
    writeFileSync(join(root, 'srv/module.nix'), module);
    const path = `${readFileSync(join(root, userlandFile), 'utf8').trim()}/bin`;
    await offline(root, path, build);
  });
}

const build = `set -eu
cat >/srv/system.nix <<'NIX'
let
  lib = import /srv/nixpkgs/lib;
  evaluated = import /srv/nixpkgs/eval.nix { inherit lib; } {
    system = "x86_64-linux";
    modules = [ /srv/firn /srv/nixpkgs/release0.nix /srv/module.nix ];
  };
in
evaluated.config.system.build.toplevel
NIX
system=$(nix-build --no-out-link /srv/system.nix)
nix-env --profile /nix/var/nix/profiles/system --set "$system"
printf '%s\\n' "$system" >/boot/firn-loader/default
`;
