/** The real Nix accepts the lock files that we render without having asked it. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type PackageSource, renderBundle } from '../../controllers/lib/nix/bundle.ts';
import { lockedFromPin } from '../../controllers/lib/nix/flake-lock.ts';
import type { Tree } from '../../controllers/lib/nix/tree.ts';
import { NixFolder, type Ran } from '../support/nix-cli.ts';

const rev = 'a'.repeat(40);
const narHash = `sha256-${'A'.repeat(43)}=`;
const features = ['--extra-experimental-features', 'nix-command flakes'];
const asIs = ['--no-update-lock-file', '--no-write-lock-file'];

const bundleOf = (url: string, locked: unknown, packages: readonly PackageSource[] = []): Tree =>
  renderBundle({
    packages,
    system: 'x86_64-linux',
    hostName: 'alpha',
    stateVersion: '26.05',
    nixpkgs: { url, locked },
    ssh: { user: 'root', port: 22, authorizedKeys: [] },
    modules: [{ kind: 'NixModule', name: 'base', priority: 100, text: '{ }' }],
    firnModules: new Map([['default.nix', '{ }']]),
  });

function writeTree(folder: NixFolder, name: string, tree: Tree): string {
  const root = join(folder.path, name);
  for (const [path, content] of tree) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    folder.write(join(name, path), content);
  }
  return root;
}

// `flake metadata` fetches an input only where the lock file does not answer for it, and here nothing can be fetched: so
// it succeeds exactly if Nix finds that `original` is what it read from the URL itself.
const metadata = (folder: NixFolder, root: string): Promise<Ran> =>
  folder.run('nix', [
    ...features,
    'flake',
    'metadata',
    '--json',
    ...asIs,
    '--store',
    join(folder.path, 'store'),
    root,
  ]);

test.each([
  'github:NixOS/nixpkgs/nixos-26.05',
  `github:NixOS/nixpkgs/${rev}`,
  'github:NixOS/nixpkgs?ref=nixos-26.05',
  'github:NixOS/nixpkgs/feature/x?dir=sub/flake',
  'github:o/r?host=git.example.org',
  'gitlab:o/r/main',
  'git+https://git.example.org/nixpkgs.git?ref=main&shallow=1',
  `git+ssh://git@git.example.org:2222/nixpkgs?rev=${rev}&submodules=1`,
  'git+file:///srv/nixpkgs?ref=main',
  'https://example.org/nixpkgs.tar.xz',
  'https://example.org:8443/a/b.tar.gz',
  'path:/srv/nixpkgs',
])('accepts the lock file of %s as it is', async (url) => {
  using folder = new NixFolder();
  const bundle = bundleOf(url, lockedFromPin(url, { rev, narHash }));
  const { stdout, stderr } = await metadata(folder, `path:${writeTree(folder, 'bundle', bundle)}`);
  expect(stderr).toBe('');
  expect(JSON.parse(stdout).locks).toEqual(JSON.parse(String(bundle.get('flake.lock'))));
});

test('accepts further inputs, and evaluates packages of theirs', async () => {
  using folder = new NixFolder();
  const nixosSystem = '{ system, modules }: builtins.elemAt modules 3';
  const flake = (text: string) => new Map([['flake.nix', `{ outputs = _: { ${text} }; }`]]);
  const nixpkgs = writeTree(folder, 'nixpkgs', flake(`lib.nixosSystem = ${nixosSystem};`));
  const other = writeTree(folder, 'other', flake('legacyPackages.x86_64-linux.kubernetes = "1.37";'));
  const lockedOf = async (root: string) => {
    const { stdout } = await metadata(folder, `path:${root}`);
    return { url: `path:${root}`, locked: JSON.parse(stdout).locked };
  };
  const options = { 'kubernetes.packages.kubelet': 'kubernetes' };
  const source = { name: 'kubernetes-1-37', ...(await lockedOf(other)), options };
  const { url, locked } = await lockedOf(nixpkgs);
  const root = writeTree(folder, 'bundle', bundleOf(url, locked, [source]));
  const store = ['--store', join(folder.path, 'store')];
  const system = `path:${root}#nixosConfigurations.host`;
  const evaluated = await folder.run('nix', [...features, 'eval', '--json', ...asIs, ...store, system]);
  expect(evaluated.stderr).toBe('');
  expect(JSON.parse(evaluated.stdout)).toEqual({ firn: { kubernetes: { packages: { kubelet: '1.37' } } } });
});

test('does not accept a lock file of another URL', async () => {
  using folder = new NixFolder();
  const wrong = bundleOf('path:/srv/other', lockedFromPin('path:/srv/other', { narHash }));
  const right = bundleOf('path:/srv/nixpkgs', lockedFromPin('path:/srv/nixpkgs', { narHash }));
  const mixed = new Map([...right, ['flake.lock', wrong.get('flake.lock') ?? '']]);
  const { status } = await metadata(folder, `path:${writeTree(folder, 'bundle', mixed)}`);
  expect(status).not.toBe(0);
});

test('what Nix resolves can be locked, and the bundle evaluates with it', async () => {
  using folder = new NixFolder();
  const nixpkgs = writeTree(
    folder,
    'nixpkgs',
    new Map([
      [
        'flake.nix',
        '{ outputs = _: { lib.nixosSystem = { system, modules }: { inherit system; count = builtins.length modules; }; }; }',
      ],
    ]),
  );
  const url = `path:${nixpkgs}`;
  const { stdout } = await metadata(folder, url);
  const root = writeTree(folder, 'bundle', bundleOf(url, JSON.parse(stdout).locked));
  const store = ['--store', join(folder.path, 'store')];
  const evaluated = await folder.run('nix', [
    ...features,
    'eval',
    '--json',
    ...asIs,
    ...store,
    `path:${root}#nixosConfigurations.host`,
  ]);
  expect(evaluated.stderr).toBe('');
  expect(JSON.parse(evaluated.stdout)).toEqual({ system: 'x86_64-linux', count: 3 });
});
