import { compose } from '../../../controllers/nixnode/compose.ts';
import { observation, part, parts } from '../../support/observation.ts';

const confirmed = { id: 'bbbbbbbbbbbb', parts: parts('b'), system: null };
const bad = (name: 'system' | 'data' | 'secrets', letter: string) => ({
  part: name,
  hash: part(letter),
  reason: 'UnitsFailed',
  messageB64: '',
  at: 0,
});

test('nothing bad: all that is wanted', () => {
  expect(compose(parts('a'), observation())).toEqual({ parts: parts('a'), held: [] });
});

test('a bad system does not keep newer data and secrets back', () => {
  const seen = observation({ releases: [confirmed], confirmed: confirmed.id, bad: [bad('system', 'a')] });
  const { parts: chosen, held } = compose(parts('a', '1', '2'), seen);
  expect(chosen).toEqual(parts('b', '1', '2'));
  expect(held.map((one) => one.part)).toEqual(['system']);
});

test('a part that was bad once, but is not wanted any more, holds nothing back', () => {
  const seen = observation({ releases: [confirmed], confirmed: confirmed.id, bad: [bad('system', 'c')] });
  expect(compose(parts('a'), seen)).toEqual({ parts: parts('a'), held: [] });
});

test('a bad first release leaves the host as it was', () => {
  expect(compose(parts('a'), observation({ bad: [bad('system', 'a')] })).parts).toBeNull();
});

test('a confirmed release that was rejected gives way to the one before it', () => {
  const older = { id: 'cccccccccccc', parts: parts('c'), system: null };
  const seen = observation({
    releases: [confirmed, older],
    confirmed: confirmed.id,
    bad: [bad('system', 'b')],
  });
  expect(compose(parts('b'), seen, older.id).parts).toEqual(parts('c'));
  expect(compose(parts('b'), seen).parts).toBeNull();
});
