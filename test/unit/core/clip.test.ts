import { clip } from '../../../controllers/lib/core/clip.ts';

test.each([
  ['what fits stays', 'a\n\tb', 10, 'a\n\tb'],
  ['what fits exactly stays', '1234567890', 10, '1234567890'],
  ['what is longer ends with a mark', '12345678901', 10, '123456 …'],
  ['bytes count, not characters', '€€€€', 11, '€€ …'],
  ['no character is cut in two', 'a€€€€', 11, 'a€€ …'],
  ['nor one outside of the basic plane', '😀😀😀', 11, '😀 …'],
  ['half a character is replaced', 'a\ud800', 10, 'a\ufffd'],
  ['a terminal has nothing to obey', '\u001b[31mred\u0000\u009b', 20, '[31mred'],
])('%s', (_, text, maxBytes, expected) => {
  expect(clip(text, maxBytes)).toBe(expected);
  expect(Buffer.byteLength(clip(text, maxBytes))).toBeLessThanOrEqual(maxBytes);
});
