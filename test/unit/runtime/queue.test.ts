import { Queue } from '../../../controllers/lib/runtime/queue.ts';
import { cpuMs } from '../../support/cpu-time.ts';
import { ManualClock, settled } from '../../support/manual-clock.ts';

const never = new AbortController().signal;

function setup() {
  const clock = new ManualClock();
  const waits: number[] = [];
  let added = 0;
  const queue = new Queue(clock, {
    added: () => {
      added++;
    },
    taken: (waitedMs) => waits.push(waitedMs),
  });
  /** The next key if there is one now. */
  const takeNow = async (): Promise<string | undefined> => {
    const leave = new AbortController();
    const taken = queue.take(leave.signal);
    leave.abort();
    return taken;
  };
  return { clock, queue, takeNow, waits, added: () => added };
}

test('a key that is woken twice is there once', async () => {
  const { queue, takeNow, added } = setup();
  queue.wake('a');
  queue.wake('a');
  expect(await takeNow()).toBe('a');
  expect(await takeNow()).toBeUndefined();
  expect(added()).toBe(1);
});

test('keys come out in the order in which they were woken', async () => {
  const { queue, takeNow } = setup();
  for (const key of ['c', 'a', 'b']) queue.wake(key);
  expect([await takeNow(), await takeNow(), await takeNow()]).toEqual(['c', 'a', 'b']);
});

test('a key at work is not given out again before it is done, and then at once', async () => {
  const { queue, takeNow } = setup();
  queue.wake('a');
  await takeNow();
  queue.wake('a');
  expect(await takeNow()).toBeUndefined();
  queue.done('a', { failed: false, requeueMs: 60_000 });
  expect(await takeNow()).toBe('a');
});

test('a requeue waits for its time', async () => {
  const { queue, clock } = setup();
  queue.wake('a');
  await queue.take(never);
  queue.done('a', { failed: false, requeueMs: 5_000 });
  let taken: string | undefined;
  void queue.take(never).then((key) => {
    taken = key;
  });
  await clock.pass(4_999);
  expect(taken).toBeUndefined();
  await clock.pass(1);
  expect(taken).toBe('a');
});

test('a wake beats backoff', async () => {
  const { queue, takeNow, clock } = setup();
  queue.wake('a');
  await takeNow();
  queue.done('a', { failed: true, requeueMs: 300_000 });
  await clock.pass(1_000);
  queue.wake('a');
  expect(await takeNow()).toBe('a');
  queue.done('a', { failed: false, requeueMs: null });
  await clock.pass(600_000);
  expect(await takeNow()).toBeUndefined();
});

test('failures in a row are counted and forgotten with success', async () => {
  const { queue, takeNow } = setup();
  for (const failed of [true, true]) {
    queue.wake('a');
    await takeNow();
    queue.done('a', { failed, requeueMs: null });
  }
  expect(queue.failures('a')).toBe(2);
  queue.wake('a');
  await takeNow();
  queue.done('a', { failed: false, requeueMs: null });
  expect(queue.failures('a')).toBe(0);
});

test('whoever waits leaves when told to, and takes no key along', async () => {
  const { queue, takeNow } = setup();
  const leave = new AbortController();
  const waiting = queue.take(leave.signal);
  leave.abort();
  expect(await waiting).toBeUndefined();
  queue.wake('a');
  expect(await takeNow()).toBe('a');
});

test('a forgotten key does not come back', async () => {
  const { queue, takeNow, clock } = setup();
  queue.wake('a');
  queue.forget('a');
  await clock.pass(1_000);
  expect(await takeNow()).toBeUndefined();
});

test('the time a key waited for a worker is told, not the time until it was due', async () => {
  const { queue, clock, takeNow, waits } = setup();
  queue.wake('a');
  await clock.pass(250);
  await takeNow();
  queue.done('a', { failed: false, requeueMs: 10_000 });
  await clock.pass(10_100);
  await takeNow();
  expect(waits).toEqual([250, 100]);
});

test('only what is due counts as waiting', async () => {
  const { queue, takeNow } = setup();
  queue.wake('a');
  await takeNow();
  queue.done('a', { failed: false, requeueMs: 10_000 });
  queue.wake('b');
  expect(queue.depth).toBe(1);
});

test('10,000 keys with as many rechecks are served in little time', async () => {
  const { queue, clock } = setup();
  const keys = Array.from({ length: 10_000 }, (_, i) => `fleet/node-${i}`);
  const startedAt = cpuMs();
  for (const key of keys) queue.wake(key);
  const seen = new Set<string>();
  for (let i = 0; i < 2 * keys.length; i++) {
    const key = (await queue.take(never))!;
    seen.add(key);
    queue.done(key, { failed: false, requeueMs: i < keys.length ? i % 97 : null });
    if (i === keys.length - 1) await clock.pass(100);
  }
  expect(seen.size).toBe(10_000);
  expect(cpuMs() - startedAt).toBeLessThan(1_500);
  await settled();
});
