/** Configurations of hosts, evaluated on this machine by the stand-in for nixpkgs (test/nixos). Nothing is built. */
import { join } from 'node:path';
import { NixFolder } from './nix-cli.ts';

const root = join(import.meta.dirname, '../..');

/** What every host of these tests has: it boots and has an address; `firn.host` is left to the test. */
const bareHost = join(root, 'test/nixos/release0.nix');

/**
 * Evaluates an expression over `config`, `lib` and `warnings` for a host with Firn's modules and the one given. Throws
 * with Nix's own words.
 */
export async function evaluateHost(module: string, expression: string): Promise<unknown> {
  using nix = new NixFolder();
  nix.write('module.nix', module);
  const file = nix.write(
    'host.nix',
    `let
      lib = import ${root}/test/nixos/lib;
      inherit (import ${root}/test/nixos/eval.nix { inherit lib; } {
        system = "x86_64-linux";
        modules = [ ${root}/nix/modules ${bareHost} ./module.nix ];
      }) config;
      # What a build checks first.
      checked = builtins.seq config.system.build.toplevel.drvPath;
      inherit (config) warnings;
    in
    ${expression}`,
  );
  // Awaited here: the folder goes when this function ends.
  return await nix.evaluate(file);
}

/** The same, for what `nix-instantiate` says when the system cannot be evaluated. */
export async function refusalOf(module: string): Promise<string> {
  try {
    await evaluateHost(module, 'checked null');
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('the configuration evaluates');
}
