/** `npm run bench`: prints a table and writes `bench/results/*.json`. Numbers as `--objects=5000 --workers=16 --rounds=2`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { measureRuntime } from './runtime/run.ts';
import { table } from './table.ts';

const { values } = parseArgs({
  options: {
    objects: { type: 'string', default: '5000' },
    workers: { type: 'string', default: '16' },
    rounds: { type: 'string', default: '2' },
  },
});
const settings = {
  objects: Number(values.objects),
  workers: Number(values.workers),
  rounds: Number(values.rounds),
};
const machine = {
  cpus: cpus().length,
  model: cpus()[0]?.model ?? '',
  memoryGiB: Math.round(totalmem() / 2 ** 30),
};

const measured = await measureRuntime(settings, (text) => console.error(`firn: ${text}`));
console.log(table(measured));
const folder = join(import.meta.dirname, 'results');
mkdirSync(folder, { recursive: true });
const report = { machine, node: process.version, settings, measured };
writeFileSync(join(folder, 'runtime.json'), `${JSON.stringify(report, null, 2)}\n`);
