/** The tour, as people and scripts start it, over scripted hosts; on booted ones it is the same program. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const program = join(import.meta.dirname, '../../demo/main.ts');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'firn-test-demo-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

type Ended = { code: number | null; printed: string };

/** `interruptAt`: SIGINT as soon as this was printed. */
function runDemo(args: readonly string[], interruptAt?: string): Promise<Ended> {
  const env = { ...process.env, TMPDIR: folder, NODE_OPTIONS: '' };
  const child = spawn(process.execPath, [program, '--scripted', ...args], { env, timeout: 110_000 });
  let printed = '';
  let interrupted = false;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
    if (interruptAt === undefined || interrupted || !printed.includes(interruptAt)) return;
    interrupted = true;
    child.kill('SIGINT');
  });
  child.stderr.resume();
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, printed }));
  });
}

test('all of it is seen, and nothing is left behind', async () => {
  const { code, printed } = await runDemo(['--exit']);
  expect(printed).toContain('All of it was seen, on scripted hosts.');
  expect(code).toBe(0);
  expect(printed).toContain('NotConfirmed: the operator did not confirm');
  // No colours where nobody looks, and no secret anywhere.
  expect(printed).not.toContain('\x1b[');
  expect(printed).not.toMatch(/PRIVATE KEY|the (first|second) licence/);
  expect(readdirSync(folder)).toEqual([]);
});

test('without --exit it stays until it is interrupted', async () => {
  const { code, printed } = await runDemo([], 'It stays until Ctrl-C');
  expect(printed).toMatch(/firn-demo-\w+\/operator\.log\s+stopping …\n$/);
  expect(code).toBe(0);
  expect(readdirSync(folder)).toEqual([]);
});

test('an interrupt in the middle leaves nothing behind either', async () => {
  const { code, printed } = await runDemo([], 'nixnode.firn.dev/beta serverside-applied');
  expect(printed).toContain('stopping …');
  expect(code).toBe(130);
  expect(readdirSync(folder)).toEqual([]);
});

test('an unknown option is refused before anything starts', async () => {
  expect(await runDemo(['--ext'])).toEqual({ code: 2, printed: '' });
});
