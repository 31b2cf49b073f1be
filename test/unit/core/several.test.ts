import { several } from '../../../controllers/lib/core/several.ts';

test.each([
  [[], ''],
  [['a'], 'a'],
  [['a', 'b', 'c', 'd', 'e'], 'a, b, c, d, e'],
  [['a', 'b', 'c', 'd', 'e', 'f', 'g'], 'a, b, c, d, e, and 2 more'],
])('of %j it says %j', (items, said) => {
  expect(several(items)).toBe(said);
});

test('sentences are told apart by something else than commas', () => {
  expect(several(['a, b', 'c'], '; ')).toBe('a, b; c');
});
