// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Nix's interpolation is meant
import fc from 'fast-check';
import { type NixValue, print } from '../../controllers/lib/nix/print.ts';
import { NixFolder } from '../support/nix-cli.ts';

/** Values per call of Nix: its start costs far more than a value. */
const batch = 300;

// biome-ignore format: a table of strings
const hostile = fc.constantFrom(
  '${', '$${', '$$${x}', '\\${', "''", "''${", "'''", '"', '\\', '\\"', '\\n', '\n', '\r', '\r\n', '\t', '$', '{', '}',
  '\u0001', '\u001b[31m', '\u007f', '\u2028', '\ufeff', '\ufffd', '𝄞', '👩‍🚀', 'ß', '#', '/*', '*/', '<nixpkgs>', ';', ' ',
);
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.array(fc.oneof(hostile, fc.string()), { maxLength: 8 }).map((parts) => parts.join('')),
);
const string = text.filter((s) => !s.includes('\0') && s.isWellFormed());
const keywords = 'if then else let in rec with inherit assert or true null'.split(' ');
const name = fc.oneof(
  string,
  fc.constantFrom(...keywords),
  fc.constantFrom('', 'a.b', "a'", '-a', '0', 'a-b', 'constructor', 'outPath', 'ä'),
);
const float = fc
  .double({ noNaN: true, noDefaultInfinity: true })
  .filter((x) => !Number.isInteger(x) && Math.abs(x) >= 2.2250738585072014e-308);
// What `fromJSON` of Nix and JSON itself can both carry; larger integers have their own test.
const scalar = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.maxSafeInteger().map((x) => x + 0),
  float,
  string,
);
const value: fc.Memo<NixValue> = fc.memo((depth) =>
  depth <= 1
    ? scalar
    : fc.oneof(
        scalar,
        fc.array(value(depth - 1), { maxLength: 5 }),
        fc.dictionary(name, value(depth - 1), { maxKeys: 5 }),
      ),
);
const values = fc.array(value(4), { minLength: batch, maxLength: batch });

// Nix compares what it read from our text with what it read from JSON. Only so are floats compared in all of their
// digits: as JSON, Nix 2.8 prints six of them.
test('eval(print(x)) = x', async () => {
  await fc.assert(
    fc.asyncProperty(values, async (list) => {
      using folder = new NixFolder();
      folder.write('expected.json', JSON.stringify(list));
      folder.write('printed.nix', print(list));
      const compare = folder.write(
        'compare.nix',
        `let printed = import ./printed.nix; expected = builtins.fromJSON (builtins.readFile ./expected.json);
         in builtins.filter (i: builtins.elemAt printed i != builtins.elemAt expected i)
           (builtins.genList (i: i) (builtins.length expected)) `,
      );
      const wrong = (await folder.evaluate(compare)) as number[];
      expect(wrong.map((index) => list[index])).toEqual([]);
    }),
    { numRuns: 8, endOnFailure: true },
  );
});

const scalarOtherThanFloat: fc.Arbitrary<NixValue> = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.maxSafeInteger(),
  string,
);
const withoutFloats: fc.Memo<NixValue> = fc.memo((depth) =>
  depth <= 1
    ? scalarOtherThanFloat
    : fc.oneof(
        string,
        fc.array(withoutFloats(depth - 1), { maxLength: 5 }),
        // A set with `outPath` or `__toString` is itself, but `--json` shows it as a string.
        fc.dictionary(
          name.filter((n) => n !== 'outPath' && n !== '__toString'),
          withoutFloats(depth - 1),
          { maxKeys: 5 },
        ),
      ),
);

test('nix-instantiate --eval --strict --json gives the value back', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(withoutFloats(4), { minLength: batch, maxLength: batch }), async (list) => {
      using folder = new NixFolder();
      const file = folder.write('printed.nix', print(list));
      await folder.parse(file);
      expect(await folder.evaluate(file)).toEqual(list.map((item) => JSON.parse(JSON.stringify(item))));
    }),
    { numRuns: 4, endOnFailure: true },
  );
});

test('every 64-bit integer comes back digit by digit', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), { minLength: 1, maxLength: batch }),
      async (drawn) => {
        using folder = new NixFolder();
        const list = [-(2n ** 63n), 2n ** 63n - 1n, 0n, -1n, ...drawn];
        folder.write('printed.nix', print(list));
        const file = folder.write('digits.nix', 'map toString (import ./printed.nix)');
        expect(await folder.evaluate(file)).toEqual(list.map(String));
      },
    ),
    { numRuns: 4 },
  );
});

test('equal values give equal text, whatever the order of their attributes', () => {
  fc.assert(
    fc.property(fc.dictionary(name, value(2)), (set) => {
      expect(print(Object.fromEntries(Object.entries(set).reverse()))).toBe(print(set));
    }),
  );
});
