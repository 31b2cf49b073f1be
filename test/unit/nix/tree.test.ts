import { hashTree } from '../../../controllers/lib/nix/tree.ts';

test('refuses paths that leave the part', () => {
  for (const path of ['../x', 'a//b', '/etc', 'a/./b', 'a b', ''])
    expect(() => hashTree(new Map([[path, '']]))).toThrow('not a path');
});

test('does not depend on the order of insertion', () => {
  const a = new Map([
    ['b', '1'],
    ['a/c', '2'],
  ]);
  expect(hashTree(a)).toBe(hashTree(new Map([...a].reverse())));
});
