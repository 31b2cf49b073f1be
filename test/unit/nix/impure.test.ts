// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Nix's interpolation is meant
import { describeImpurity, findImpurities } from '../../../controllers/lib/nix/impure.ts';
import { cpuMs } from '../../support/cpu-time.ts';

const found = (text: string) => findImpurities(text).map(({ line, found }) => [line, found]);

test.each<[string, string, string]>([
  ['<nixpkgs>', '{ pkgs = import <nixpkgs> { }; }', 'take pkgs and lib as arguments'],
  [
    '<nixpkgs/nixos/modules/profiles/qemu-guest.nix>',
    '{ imports = [ <nixpkgs/nixos/modules/profiles/qemu-guest.nix> ]; }',
    '(modulesPath + "/profiles/qemu-guest.nix")',
  ],
  ['<home-manager/nixos>', '[ <home-manager/nixos> ]', 'give the module as a NixModule'],
  ['/etc/nixos/hardware.nix', '{ imports = [ /etc/nixos/hardware.nix ]; }', 'quote the path'],
  ['~/keys', '{ x = ~/keys; }', 'no home folder'],
  ['getEnv', '{ x = builtins.getEnv "HOME"; }', 'the environment is empty'],
  ['currentSystem', 'builtins.currentSystem', 'hostPlatform.system'],
  ['fetchTarball', 'import (builtins.fetchTarball "https://e.org/x.tar.gz") { }', 'give it sha256'],
  ['fetchTarball', 'fetchTarball { url = "https://e.org/x"; }', 'give it sha256'],
  ['fetchGit', 'builtins.fetchGit { url = "x"; ref = "main"; }', 'give it rev or narHash'],
  ['readFile', 'builtins.readFile "/etc/hostname"', 'quote the path'],
  ['import', 'import "/etc/nixos/x.nix"', 'quote the path'],
])('finds %s', (name, text, suggestion) => {
  expect(findImpurities(text)).toEqual([
    { line: 1, found: name, suggestion: expect.stringContaining(suggestion) },
  ]);
});

test.each([
  ['a comment', '# <nixpkgs>\n/* /etc/passwd\n <nixpkgs> */ { }'],
  ['a string', '{ x = "/etc/passwd <nixpkgs> builtins.getEnv"; }'],
  ['an indented string', "{ x = ''\n  cat /etc/passwd # <nixpkgs>\n''; }"],
  [
    'escapes in strings',
    `{ x = "\\" /etc/a \\\${ <nixpkgs> $\${ <nixpkgs>"; y = ''a ''' /b ''\${ <c> ''\\n /d ''; }`,
  ],
  ['a relative path', '{ imports = [ ./a.nix ../b/c.nix a/b.nix ]; }'],
  ['an update', '{ } //{ } // { a = b //c; }'],
  ['a division', '8 / 2'],
  ['a comparison', 'a < b && c > d'],
  ['an URI', '{ x = https://example.org/a/b; }'],
  ['a fetcher of nixpkgs', 'pkgs.fetchurl { url = "x"; hash = "y"; }'],
  ['a fetcher with its hash', 'builtins.fetchTarball { url = "x"; sha256 = "y"; }'],
  ['a name that is defined or taken', '{ fetchTarball, ... }: { fetchGit = 1; getEnv = 2; }'],
  ['an import from the store of a package', 'import "${pkgs.path}/x.nix"'],
  ['a string that does not end', '{ x = "/etc'],
])('finds nothing in %s', (_, text) => expect(findImpurities(text)).toEqual([]));

test('interpolations are code again, also inside of each other', () => {
  expect(found('{ x = "a ${ /b/c } ${ "${ { y = <nixpkgs>; }.y }" } /d"; z = /e; }')).toEqual([
    [1, '/b/c'],
    [1, '<nixpkgs>'],
    [1, '/e'],
  ]);
  expect(found("''\n  /a\n  ${/b}\n'' + /c")).toEqual([
    [3, '/b'],
    [4, '/c'],
  ]);
});

test('lines are those that an editor shows', () => {
  const text = '/* one\n two */\n{\n  a = "x\ny";\n\n  b = <nixpkgs>;\n}\n';
  const [finding] = findImpurities(text);
  expect(finding).toMatchObject({ line: 7 });
  expect(describeImpurity('base', finding!)).toBe(
    'base line 7: <nixpkgs>: take pkgs and lib as arguments of the module',
  );
});

test('long and hostile text takes no long time and no exception', () => {
  const hostile = [
    '/*',
    '"',
    "''",
    '${',
    '(',
    '/a',
    '<a',
    '~/',
    "''$",
    '\\',
    '-',
    'a.',
    '1a',
    "'",
    '$',
    'a-',
  ];
  for (const part of hostile) {
    const started = cpuMs();
    findImpurities(part.repeat(60_000));
    findImpurities(`"${part.repeat(60_000)}`);
    findImpurities(`''${part.repeat(60_000)}`);
    expect(cpuMs() - started).toBeLessThan(2_000);
  }
});
