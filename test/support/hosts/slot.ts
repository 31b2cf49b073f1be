import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { tryLock } from './lock.ts';
import { slotCount, slotNames } from './paths.ts';
import { remainsOf, sweepSlot } from './sweep.ts';

export type Slot = {
  number: number;
  /** Takes all of it off the machine, and lets others have the slot. Rejects if something would not go. */
  release(): Promise<void>;
};

/** A slot that no other run has. It is swept when this process ends, in whichever way. */
export async function claimSlot(): Promise<Slot> {
  await sweepAbandoned();
  const refusals = new Set<string>();
  for (let number = 0; number < slotCount; number++) {
    const slot = await claim(number);
    if (typeof slot !== 'string') return slot;
    refusals.add(slot);
  }
  throw new Error(`no slot for test hosts: ${[...refusals].join('; ')}`);
}

/** A slot, or why it is not to be had. */
async function claim(number: number): Promise<Slot | string> {
  // Detached: Ctrl-C reaches the whole group of the terminal, and must not reach the one who cleans up.
  const keeper = spawn(process.execPath, [join(import.meta.dirname, 'keeper.ts'), String(number)], {
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
  let complaint = '';
  keeper.stderr.on('data', (chunk: Buffer) => {
    complaint = (complaint + chunk.toString()).slice(-2_000);
  });
  const ended = once(keeper, 'exit') as Promise<[number | null]>;
  const answer = await Promise.race([firstLine(keeper), ended.then(() => 'ended')]);
  if (answer === 'taken') return 'taken by other runs';
  if (answer !== 'held') return complaint;
  letGo(keeper);
  return {
    number,
    release: async () => {
      keeper.ref();
      keeper.stdin.end();
      const [code] = await ended;
      if (code !== 0) throw new Error(`test hosts were not cleaned up: ${complaint}`);
    },
  };
}

/** Nobody's slots that still have something on the machine: their run and its keeper were killed. */
async function sweepAbandoned(): Promise<void> {
  for (let number = 0; number < slotCount; number++) {
    if (remainsOf(number).length === 0) continue;
    const lock = await tryLock(slotNames(number).lock);
    if (lock === undefined) continue;
    try {
      await sweepSlot(number);
    } finally {
      await lock.release();
    }
  }
}

async function firstLine(keeper: ChildProcess): Promise<string> {
  const lines = createInterface({ input: keeper.stdout! });
  for await (const line of lines) return line;
  return 'ended';
}

/** So that a test process which forgets to stop its hosts still ends. */
function letGo(keeper: ChildProcess): void {
  keeper.unref();
  for (const stream of [keeper.stdin, keeper.stdout, keeper.stderr])
    (stream as unknown as { unref?: () => void } | null)?.unref?.();
}
