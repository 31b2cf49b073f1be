/**
 * Runs test tiers: `node scripts/test.ts [tier…]`, without arguments all of them, the longest in a short form. Ends with one
 * line `N passed, N failed` for the whole.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { preparations } from '../test/support/preparation.ts';

/** In the order in which they should fail: what is quick first. Workers: how many test files at once. */
const tiers = [
  { name: 'unit', workers: 2, timeoutMs: 10_000 },
  { name: 'property', workers: 2, timeoutMs: 60_000 },
  { name: 'nix', workers: 2, timeoutMs: 120_000 },
  { name: 'api', workers: 2, timeoutMs: 120_000 },
  { name: 'host', workers: 1, timeoutMs: 300_000 },
  { name: 'vm', workers: 1, timeoutMs: 600_000 },
  // All of it takes half an hour: who does not ask for it gets one cluster on one host.
  { name: 'cluster', workers: 1, timeoutMs: 600_000, short: 'lab.test.ts' },
];

/** From the last test to the end of jest. */
const exitMs = 30_000;

const asked = process.argv.slice(2).filter((argument) => !argument.startsWith('-'));
const passedOn = process.argv.slice(2).filter((argument) => argument.startsWith('-'));
const chosen = asked.length === 0 ? tiers : tiers.filter((tier) => asked.includes(tier.name));
if (chosen.length === 0) {
  console.error(`no such tier: ${asked.join(' ')}; there are ${tiers.map((tier) => tier.name).join(' ')}`);
  process.exit(2);
}

const jest = join(import.meta.dirname, '../node_modules/jest/bin/jest.js');
const results = mkdtempSync(join(tmpdir(), 'firn-test-'));
let passed = 0;
let failed = 0;
for (const { name, workers, timeoutMs, short } of chosen) {
  console.error(`\nfirn: ${name} tests …`);
  const form = asked.length === 0 && short !== undefined ? 'short' : 'whole';
  const unprepared = await preparations[name]?.(form).catch((error: Error) => error);
  if (unprepared) {
    console.error(`firn: the ${name} tests cannot run: ${unprepared.message}`);
    failed += 1;
    continue;
  }
  const outputFile = join(results, `${name}.json`);
  const status = await run(outputFile, [
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    jest,
    `test/${name}/${form === 'short' ? short : ''}`,
    `--maxWorkers=${workers}`,
    `--testTimeout=${timeoutMs}`,
    '--json',
    `--outputFile=${outputFile}`,
    ...passedOn,
  ]);
  const counts = readCounts(outputFile);
  passed += counts.passed;
  // Files that do not even load, and a run that does not end, have no failed tests to count: they are one failure.
  failed += counts.failed === 0 && status !== 0 ? 1 : counts.failed;
}
rmSync(results, { recursive: true });
console.log(`\n${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);

/** jest's exit status. What a test left running does not hold up the rest, and is a failure. */
function run(outputFile: string, args: string[]): Promise<number> {
  return new Promise((resolve) => {
    // jest prints its JSON on standard output as well; people read standard error.
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
    let overSince: number | undefined;
    const watch = setInterval(() => {
      if (!existsSync(outputFile)) return;
      overSince ??= Date.now();
      if (Date.now() - overSince < exitMs) return;
      console.error('firn: the tests are over, but something that they started is not');
      child.kill('SIGKILL');
    }, 1_000);
    child.on('exit', (code) => {
      clearInterval(watch);
      resolve(code ?? 1);
    });
  });
}

function readCounts(file: string): { passed: number; failed: number } {
  try {
    const report = JSON.parse(readFileSync(file, 'utf8')) as {
      numPassedTests: number;
      numFailedTests: number;
      numRuntimeErrorTestSuites: number;
    };
    return {
      passed: report.numPassedTests,
      failed: report.numFailedTests + report.numRuntimeErrorTestSuites,
    };
  } catch {
    return { passed: 0, failed: 0 };
  }
}
