/** Durations as users write them: `90s`, `15m`, `1h30m`, `720h`. A subset of what Go's and CEL's `duration()` read. */
import { matches, text, withRules } from './rules.ts';

const shape = /^([0-9]{1,5}h)?([0-9]{1,5}m)?([0-9]{1,5}s)?$/;
const parts = /^(?:(\d{1,5})h)?(?:(\d{1,5})m)?(?:(\d{1,5})s)?$/;

/** Milliseconds. Throws on anything else than hours, minutes and seconds in this order, at least one of them. */
export function parseDuration(written: string): number {
  const found = parts.exec(written);
  if (found === null || written === '') {
    throw new Error(`not a duration such as 90s, 15m or 720h: ${JSON.stringify(written)}`);
  }
  const [hours, minutes, seconds] = [found[1], found[2], found[3]].map((digits) => Number(digits ?? 0));
  return ((hours! * 60 + minutes!) * 60 + seconds!) * 1000;
}

/** The string stays a string: what is in the object is what the user wrote. `parseDuration` reads it. */
export const duration = (range: { min: string; max: string }) => {
  const [min, max] = [parseDuration(range.min), parseDuration(range.max)];
  const written = withRules(text({ min: 2, max: 18 }), [
    matches(shape, 'must be a duration such as 90s, 15m, 1h30m or 720h'),
  ]);
  return withRules(written, [
    {
      cel: `duration(self) >= duration('${range.min}') && duration(self) <= duration('${range.max}')`,
      message: `must be between ${range.min} and ${range.max}`,
      test: (value) => {
        if (value === '' || !shape.test(value)) return false;
        const ms = parseDuration(value);
        return ms >= min && ms <= max;
      },
    },
  ]);
};
