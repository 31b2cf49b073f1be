/** The bundles of test/golden, with Firn's own modules, as Nix sees them. Files are compared in test/unit/golden.test.ts. */
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readFirnModules } from '../../controllers/lib/nix/modules.ts';
import type { Tree } from '../../controllers/lib/nix/tree.ts';
import { goldenCases, renderCase } from '../support/golden.ts';
import { NixFolder } from '../support/nix-cli.ts';

const standIn = join(import.meta.dirname, '../nixos');
const firnModules = readFirnModules();

function write(folder: NixFolder, bundle: Tree): void {
  for (const [path, content] of bundle) {
    mkdirSync(dirname(join(folder.path, path)), { recursive: true });
    folder.write(path, content);
  }
}

describe.each(goldenCases())('%s', (name) => {
  const bundle = renderCase(name, firnModules);

  test('every file parses', async () => {
    using folder = new NixFolder();
    write(folder, bundle);
    for (const path of bundle.keys()) {
      if (path.endsWith('.nix')) await folder.parse(join(folder.path, path));
    }
  });

  test('evaluates to a system that can be built', async () => {
    using folder = new NixFolder();
    write(folder, bundle);
    // The stand-in for nixpkgs takes the place of what the lock file names, which cannot be had here.
    const file = folder.write(
      'evaluate.nix',
      `let
         nixpkgs = (import ${standIn}/flake.nix).outputs { };
         pkgs = nixpkgs.legacyPackages.x86_64-linux;
         kubernetes-1-37.legacyPackages.x86_64-linux = pkgs // {
           kubernetes = pkgs.kubernetes // { version = "1.37.1"; };
         };
         host = ((import ./flake.nix).outputs { inherit nixpkgs kubernetes-1-37; }).nixosConfigurations.host;
       in {
         inherit (host.config.networking) hostName;
         inherit (host.config.system) stateVersion;
         toplevel = builtins.unsafeDiscardStringContext host.config.system.build.toplevel.drvPath;
       }`,
    );
    expect(await folder.evaluate(file)).toEqual({
      hostName: expect.stringMatching(/^(alpha|beta)$/),
      stateVersion: expect.stringMatching(/^2[56]\.(05|11)$/),
      toplevel: expect.stringMatching(/^\/nix\/store\/[0-9a-z]{32}-nixos-system-(alpha|beta)-.*\.drv$/),
    });
  });
});
