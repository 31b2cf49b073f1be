// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Nix's interpolation is meant
import { inspect } from 'node:util';
import { Sealed } from '../../../controllers/lib/core/sealed.ts';
import { type NixValue, print, printRelativePath } from '../../../controllers/lib/nix/print.ts';

const deep = (levels: number): NixValue => (levels === 0 ? 1 : [deep(levels - 1)]);

describe('print', () => {
  test.each<[string, NixValue, string]>([
    ['null', null, 'null'],
    ['booleans', [true, false], '[ true false ]'],
    ['negative numbers in a list', [1, -2, -0.5], '[ 1 (-2) (-0.5) ]'],
    ['a float without a point', 1e-7, '1.0e-7'],
    ['the smallest integer', -(2n ** 63n), '(-9223372036854775807 - 1)'],
    ['an interpolation', '${x}', '"\\${x}"'],
    ['dollars before a brace', '$${x}', '"$\\${x}"'],
    ['line ends', 'a\r\nb\tc', '"a\\r\\nb\\tc"'],
    ['a keyword as a name', { if: 1, or: 2, ok: 3 }, '{\n  "if" = 1;\n  ok = 3;\n  "or" = 2;\n}'],
    ['odd names', { '': 1, 'a.b': 2, '0': 3 }, '{\n  "" = 1;\n  "0" = 3;\n  "a.b" = 2;\n}'],
    ['empty containers', { a: [], b: {} }, '{\n  a = [ ];\n  b = { };\n}'],
    ['sets in a list', [{ a: 1 }], '[\n  {\n    a = 1;\n  }\n]'],
  ])('%s', (_, value, text) => expect(print(value)).toBe(text));

  test('a list that is too long for a line has a line for each item', () => {
    expect(print({ keys: ['a'.repeat(60), 'b'.repeat(60)] }).split('\n')).toHaveLength(6);
  });

  test.each<[string, unknown, string]>([
    ['NUL', { a: ['x', 'canary\0'] }, 'the value at .a[1] contains a NUL character'],
    ['a lone surrogate', { a: 'canary\ud800' }, 'the value at .a contains half of a surrogate pair'],
    ['NUL in a name', { 'canary\0': 1 }, 'the value at .canary\\u0000 contains a NUL character'],
    ['an unsafe integer', [2 ** 53], 'the value at [0] is an integer beyond 2^53'],
    ['a larger bigint', 2n ** 63n, 'the value at . is an integer that does not fit 64 bits'],
    ['infinity', [Number.POSITIVE_INFINITY], 'the value at [0] is not a finite number'],
    ['a subnormal', [5e-320], 'the value at [0] is a number too close to zero'],
    ['undefined', { a: undefined }, 'the value at .a is a JavaScript undefined'],
    ['a hole in a list', Array(1), 'the value at [0] is a JavaScript undefined'],
    ['a function', { a: () => 1 }, 'the value at .a is a JavaScript function'],
    ['a Sealed', { key: new Sealed('canary') }, 'the value at .key is an object of a class'],
    ['a Date', { at: new Date(0) }, 'the value at .at is an object of a class'],
    ['depth', deep(101), 'the value at [0][0][0] is nested deeper than 100 levels'],
  ])('refuses %s and names the place, not the value', (name, value, message) => {
    let thrown: unknown;
    try {
      print(value as NixValue);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ verdict: 'terminal', reason: 'ValueNotRepresentable' });
    expect(String(thrown)).toContain(message);
    if (!name.endsWith('name')) expect(inspect(thrown)).not.toMatch(/canary(?!.*print\.test)/);
  });
});

test('a relative path is a literal, and nothing else is', () => {
  expect(printRelativePath('modules/00100-NixModule-base.nix')).toBe('./modules/00100-NixModule-base.nix');
  for (const path of ['', '..', 'a/../b', '/etc', 'a b', '${x}', 'a//b', 'a;b']) {
    expect(() => printRelativePath(path)).toThrow('not a relative path');
  }
});
