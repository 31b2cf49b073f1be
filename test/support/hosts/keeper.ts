/**
 * `node keeper.ts <slot>`: holds the slot while its standard input is open, which is as long as the test process
 * that started it lives; then takes everything of the slot off the machine. A process of its own, because a
 * test process that is killed or interrupted cannot clean up after itself.
 */
import { tryLock } from './lock.ts';
import { slotNames } from './paths.ts';
import { sweepSlot } from './sweep.ts';

const slot = Number(process.argv[2]);
const lock = await tryLock(slotNames(slot).lock);
if (lock === undefined) {
  process.stdout.write('taken\n');
} else {
  // What a run left behind that was killed together with its keeper.
  await sweepSlot(slot);
  process.stdout.write('held\n');
  for await (const _ of process.stdin);
  await sweepSlot(slot);
  await lock.release();
}
