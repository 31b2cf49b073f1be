import { settingsOf } from '../../../bench/settings.ts';
import { spreadOf } from '../../../bench/spread.ts';

test('without arguments everything is measured, briefly', () => {
  expect(settingsOf([])).toMatchObject({
    benches: ['runtime', 'latency', 'memory', 'mesh', 'certificates'],
    runtime: { objects: 3000, workers: 16, rounds: 2 },
    latency: { nodes: [1, 1000], samples: 200 },
    profile: undefined,
  });
});

test('what is given goes before what goes without saying', () => {
  expect(settingsOf(['memory', '--full', '--fleet=3000,10'])).toMatchObject({
    benches: ['memory'],
    memory: { nodes: [10, 3000] },
    runtime: { objects: 5000 },
  });
});

test.each([
  [['nothing'], 'there is no bench nothing'],
  [['--objects=many'], '--objects takes a number'],
  [['--idle=1,,2'], '--idle takes a number'],
  [['--samples=0'], '--samples takes a number'],
])('%j is refused in words', (args, words) => {
  expect(() => settingsOf(args)).toThrow(words);
});

test('a spread is made of times that were measured', () => {
  const times = Array.from({ length: 200 }, (_, i) => 200 - i);
  expect(spreadOf(times)).toEqual({ samples: 200, p50Ms: 100, p90Ms: 180, p99Ms: 198, maxMs: 200 });
  expect(spreadOf([7])).toEqual({ samples: 1, p50Ms: 7, p90Ms: 7, p99Ms: 7, maxMs: 7 });
});
