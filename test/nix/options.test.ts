import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NixFolder } from '../support/nix-cli.ts';

/** NixOS's own options, as `[{ name, type }]`: not part of this project, so a fresh clone does without. */
const reference =
  process.env.FIRN_NIXOS_OPTIONS ?? join(import.meta.dirname, '../../../shared/nixos/options.json');
const standIn = join(import.meta.dirname, '../nixos/options.nix');

/** NixOS has these, but its list does not. */
const unlisted = new Set([
  'nixpkgs.hostPlatform', // listed as a whole: `nixpkgs`
  'nixpkgs.system',
  'system.path', // internal
]);

type Option = { name: string; type: string; described: boolean };

async function declared(): Promise<Option[]> {
  using nix = new NixFolder();
  return (await nix.evaluate(standIn)) as Option[];
}

test('every option of the stand-in has a description', async () => {
  const options = await declared();
  expect(options.length).toBeGreaterThan(300);
  expect(options.filter((option) => !option.described)).toEqual([]);
});

if (!existsSync(reference)) {
  console.warn(
    `no list of NixOS's options at ${reference}: the stand-in's are not compared (FIRN_NIXOS_OPTIONS)`,
  );
}

(existsSync(reference) ? test : test.skip)(
  'every option of the stand-in is NixOS’s, with its type',
  async () => {
    const nixos = new Map(
      (JSON.parse(readFileSync(reference, 'utf8')) as Option[]).map(({ name, type }) => [name, type]),
    );
    const wrong = (await declared())
      .filter(({ name }) => !unlisted.has(name))
      .filter(({ name, type }) => nixos.get(name) !== type)
      .map(({ name, type }) => ({ name, here: type, there: nixos.get(name) ?? 'no such option' }));
    expect(wrong).toEqual([]);
  },
);
