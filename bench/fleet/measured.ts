/**
 * Loaded before the operator (`node --import`): tells, over IPC, what memory is in use after a full collection. It does
 * nothing until it is asked.
 */
import { setTimeout as sleep } from 'node:timers/promises';

/** What finalizers let go, and what V8 frees beside us, is only gone in the next collection. */
const collections = 4;
const betweenMs = 250;

process.on('message', async () => {
  for (let count = 0; count < collections; count++) {
    globalThis.gc?.();
    await sleep(betweenMs);
  }
  process.send!(process.memoryUsage());
});
// Who measures is gone: so is the reason to run.
process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
process.channel?.unref();
