import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { holderOf, tryLock } from '../../../bootstrap/lock.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'firn-lock-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('one holder at a time, in one process too', () => {
  const file = join(folder, 'lock');
  {
    using lock = tryLock(file);
    expect(lock).not.toBeNull();
    expect(tryLock(file)).toBeNull();
    expect(holderOf(file)).toBe(`process ${process.pid}`);
  }
  using again = tryLock(file);
  expect(again).not.toBeNull();
});

test('a holder that is killed holds nothing', async () => {
  const file = join(folder, 'lock');
  const module = join(import.meta.dirname, '../../../bootstrap/lock.ts');
  const script = `const { tryLock } = await import(${JSON.stringify(module)});
    globalThis.lock = tryLock(${JSON.stringify(file)});
    console.log('held'); setInterval(() => {}, 1000);`;
  const holder = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(holder.stdout, 'data');
  expect(tryLock(file)).toBeNull();
  expect(holderOf(file)).toBe(`process ${holder.pid}`);
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  using lock = tryLock(file);
  expect(lock).not.toBeNull();
});
