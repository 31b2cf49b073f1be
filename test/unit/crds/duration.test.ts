import { duration, parseDuration } from '../../../crds/duration.ts';

test.each([
  ['90s', 90_000],
  ['15m', 900_000],
  ['720h', 2_592_000_000],
  ['1h30m', 5_400_000],
  ['1h1m1s', 3_661_000],
  ['0s', 0],
  ['99999h99999m99999s', 99_999 * 3_661_000],
])('%s is %d ms', (written, ms) => {
  expect(parseDuration(written)).toBe(ms);
});

test.each(['', '90', 's', '1.5h', '-1s', '+1s', '1d', '1s1m', '100000s', ' 1s', '1s\n', '1S', '1h 1m', '٣s'])(
  '%j is no duration',
  (written) => {
    expect(() => parseDuration(written)).toThrow('not a duration such as 90s, 15m or 720h');
    expect(duration({ min: '0s', max: '99999h' }).safeParse(written).success).toBe(false);
  },
);

test.each([
  ['9s', false],
  ['10s', true],
  ['1h', true],
  ['60m', true],
  ['1h1s', false],
])('between 10s and 1h lies %s: %p', (written, lies) => {
  expect(duration({ min: '10s', max: '1h' }).safeParse(written).success).toBe(lies);
});
