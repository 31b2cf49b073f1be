import { timestamp } from '../../../controllers/lib/core/timestamp.ts';

test.each([
  [0, '1970-01-01T00:00:00Z'],
  [1_800_000_000, '2027-01-15T08:00:00Z'],
  [253_402_300_800, '9999-12-31T23:59:59Z'],
  [-1, '1970-01-01T00:00:00Z'],
])('timestamp %d', (seconds, expected) => {
  expect(timestamp(seconds * 1000)).toBe(expected);
});
