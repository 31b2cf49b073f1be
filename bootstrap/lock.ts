import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

export type Lock = Disposable;

/**
 * Takes a lock that the kernel gives back when this process ends, however it ends: an exclusive transaction on an
 * SQLite file, since Node has no `flock`. Null where another process (or this one) has it; `holderOf` says who.
 */
export function tryLock(file: string): Lock | null {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode === sqliteBusy) return null;
    throw error;
  }
  writeFileSync(`${file}.pid`, `${process.pid}\n`);
  return { [Symbol.dispose]: () => database.close() };
}

/** https://www.sqlite.org/rescode.html#busy */
const sqliteBusy = 5;

/** In words, for messages. */
export function holderOf(file: string): string {
  try {
    return `process ${readFileSync(`${file}.pid`, 'utf8').trim()}`;
  } catch {
    return 'another process';
  }
}
