import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fillIn, reportOf } from '../../../bench/report.ts';
import { type Results, readResults } from '../../../bench/results.ts';

const machine = { cpus: 2, model: 'a CPU', memoryGiB: 24 };
const round = {
  round: 1,
  seconds: 1,
  writingSeconds: 1,
  apiserverCpuSeconds: 17.25,
  rssMiB: 80,
  peakRssMiB: 90,
};

const runtime: Results['runtime'] = {
  machine,
  node: 'v24.1.0',
  settings: { objects: 5000, workers: 16, rounds: 2 },
  measured: [
    { ...round, contestant: 'peer', objectsPerSecond: 300, cpuMsPerObject: 1 },
    { ...round, contestant: 'firn', objectsPerSecond: 400, cpuMsPerObject: 2 },
    { ...round, round: 2, contestant: 'peer', objectsPerSecond: 500, cpuMsPerObject: 2 },
    { ...round, round: 2, contestant: 'firn', objectsPerSecond: 600, cpuMsPerObject: 2 },
  ],
};

test('rounds become means, and Firn is compared with its peer', () => {
  expect(reportOf({ runtime })).toContain(`5,000 objects, 16 workers; means of 2 rounds.

|  | objects/s | of the peer | CPU ms an object | API server's CPU s | peak RSS MiB |
| --- | ---: | ---: | ---: | ---: | ---: |
| peer | 400 | 1.00 × | 1.50 | 17.3 | 90 |
| firn | 500 | 1.25 × | 2.00 | 17.3 | 90 |`);
});

test('alone, Firn is compared with nobody', () => {
  const alone = { ...runtime, measured: runtime.measured.filter(({ contestant }) => contestant === 'firn') };
  expect(reportOf({ runtime: alone })).toContain('| firn | 500 | not here |');
});

test('new results take the place of the former ones, and nothing else moves', () => {
  const text = 'before\n<!-- results: filled in by npm run bench -->\nformer\n<!-- /results -->\nafter\n';
  const filled = fillIn(text, { runtime });
  expect(filled).toMatch(/^before\n<!-- results: .*<!-- \/results -->\nafter\n$/s);
  expect(filled).not.toContain('former');
  expect(fillIn(filled, { runtime })).toBe(filled);
  expect(() => fillIn('no marks', {})).toThrow('no place');
});

test('the README says what the results that are there say', () => {
  const readme = readFileSync(join(import.meta.dirname, '../../../bench/README.md'), 'utf8');
  expect(fillIn(readme, readResults())).toBe(readme);
});
