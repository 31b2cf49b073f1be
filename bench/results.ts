/** `bench/results/*.json`, one file a bench. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CertificateRate, CertificateSettings } from './certificates/run.ts';
import type { Latency, LatencySettings } from './latency/run.ts';
import type { Memory, MemorySettings } from './memory/run.ts';
import type { MeshJoin, MeshSettings } from './mesh/run.ts';
import type { Measured, RuntimeSettings } from './runtime/run.ts';
import { type Bench, benches } from './settings.ts';

export type Machine = { cpus: number; model: string; memoryGiB: number };

/** What was measured, with all that it depends on. */
export type Result<Settings, Row> = { machine: Machine; node: string; settings: Settings; measured: Row[] };

export type Results = {
  runtime: Result<RuntimeSettings, Measured>;
  latency: Result<LatencySettings, Latency>;
  memory: Result<MemorySettings, Memory>;
  mesh: Result<MeshSettings, MeshJoin>;
  certificates: Result<CertificateSettings, CertificateRate>;
};

const folder = join(import.meta.dirname, 'results');
const fileOf = (bench: Bench): string => join(folder, `${bench}.json`);

/** Those that are there. */
export function readResults(): Partial<Results> {
  const there = benches.filter((bench) => existsSync(fileOf(bench)));
  return Object.fromEntries(there.map((bench) => [bench, JSON.parse(readFileSync(fileOf(bench), 'utf8'))]));
}

export function writeResult<B extends Bench>(bench: B, result: Results[B]): void {
  mkdirSync(folder, { recursive: true });
  // Digits beyond the third are noise that makes every run a difference.
  const rounded = (_: string, value: unknown) =>
    typeof value === 'number' ? Math.round(value * 1000) / 1000 : value;
  writeFileSync(fileOf(bench), `${JSON.stringify(result, rounded, 2)}\n`);
}
