import * as fc from 'fast-check';
import { dueAt, isDue } from '../../../controllers/clusterpki/renewal.ts';

const hour = 3_600_000;
const day = 24 * hour;
const certificate = { notBefore: 0, notAfter: 90 * day };
const policy = { renewBeforeMs: 30 * day };
const seed = fc.string();

test('renewal is due in time, at most a tenth of the lifetime early, and stays due', () => {
  const lifetimes = fc.integer({ min: 60_000, max: 99_999 * hour });
  void fc.assert(
    fc.property(lifetimes, fc.double({ min: 0, max: 0.5, noNaN: true }), seed, (lifetime, share, text) => {
      const validity = { notBefore: 1000, notAfter: 1000 + lifetime };
      const renewBeforeMs = Math.floor(lifetime * share);
      const due = dueAt(validity, { renewBeforeMs }, text);
      expect(due).toBeLessThanOrEqual(validity.notAfter - renewBeforeMs);
      expect(due).toBeGreaterThan(validity.notAfter - renewBeforeMs - lifetime / 10 - 1);
      for (const [now, expected] of [
        [due - 1, false],
        [due, true],
        [validity.notAfter + day, true],
      ] as const) {
        expect(isDue(validity, { renewBeforeMs }, text, now)).toBe(expected);
      }
    }),
  );
});

test('the certificates of a fleet do not fall due together', () => {
  const dues = Array.from({ length: 1000 }, (_, node) => dueAt(certificate, policy, `node${node}`));
  const days = dues.map((due) => Math.floor(due / day));
  const perDay = Map.groupBy(days, (one) => one);
  expect([...perDay.keys()].length).toBe(9);
  expect(Math.max(...[...perDay.values()].map((all) => all.length))).toBeLessThan(200);
});

test('a certificate of the future is due: a clock was ahead when it was made', () => {
  expect(isDue({ notBefore: 365 * day, notAfter: 455 * day }, policy, 'x', 0)).toBe(true);
});

test('one cut short by its authority is not renewed again and again', () => {
  let now = 0;
  let renewals = 0;
  const end = 10 * day;
  while (now < end - 60_000 && renewals < 100) {
    now = dueAt({ notBefore: now, notAfter: end }, policy, 'x');
    renewals++;
  }
  expect(renewals).toBeLessThan(20);
});
