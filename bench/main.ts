/** `npm run bench`: measures, prints tables, writes `bench/results/*.json` and what `bench/README.md` says of them. */
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { measureCertificates } from './certificates/run.ts';
import { measureLatency } from './latency/run.ts';
import { measureMemory } from './memory/run.ts';
import { measureMesh } from './mesh/run.ts';
import { fillIn } from './report.ts';
import { type Results, readResults, writeResult } from './results.ts';
import { measureRuntime } from './runtime/run.ts';
import { type Asked, type Bench, help, settingsOf } from './settings.ts';
import { table } from './table.ts';

const readme = join(import.meta.dirname, 'README.md');
const say = (text: string): void => console.error(`firn: ${text}`);

const machine = {
  cpus: cpus().length,
  model: cpus()[0]?.model ?? '',
  memoryGiB: Math.round(totalmem() / 2 ** 30),
};

async function measure(
  bench: Bench,
  { runtime, latency, memory, mesh, certificates, profile }: Asked,
): Promise<Partial<Results>> {
  const where = { machine, node: process.version };
  switch (bench) {
    case 'runtime':
      return {
        runtime: { ...where, settings: runtime, measured: await measureRuntime(runtime, profile, say) },
      };
    case 'latency':
      return {
        latency: { ...where, settings: latency, measured: await measureLatency(latency, profile, say) },
      };
    case 'memory':
      return { memory: { ...where, settings: memory, measured: await measureMemory(memory, profile, say) } };
    case 'mesh':
      return { mesh: { ...where, settings: mesh, measured: await measureMesh(mesh, say) } };
    case 'certificates': {
      const measured = await measureCertificates(certificates, say);
      return { certificates: { ...where, settings: certificates, measured } };
    }
  }
}

async function main(args: readonly string[]): Promise<void> {
  const asked = settingsOf(args);
  if (asked === 'help') return void process.stdout.write(help);
  if (asked !== 'readme') {
    for (const bench of asked.benches) {
      const result = await measure(bench, asked);
      console.log(`\n${bench}\n${table(result[bench]!.measured)}\n`);
      writeResult(bench, result[bench]!);
    }
  }
  writeFileSync(readme, fillIn(readFileSync(readme, 'utf8'), readResults()));
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
