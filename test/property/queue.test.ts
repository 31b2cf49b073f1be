import fc from 'fast-check';
import { Queue } from '../../controllers/lib/runtime/queue.ts';
import { ManualClock, settled } from '../support/manual-clock.ts';

/** What can happen to a queue, in any order. */
type Step =
  | { do: 'wake'; key: string }
  | { do: 'finish'; pick: number; failed: boolean; requeueMs: number | null }
  | { do: 'pass'; ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('wake' as const), key: fc.constantFrom('a', 'b', 'c', 'd') }),
  fc.record({
    do: fc.constant('finish' as const),
    pick: fc.nat(),
    failed: fc.boolean(),
    requeueMs: fc.oneof(fc.constant(null), fc.nat(5_000)),
  }),
  fc.record({ do: fc.constant('pass' as const), ms: fc.nat(3_000) }),
);

test('no key is lost and none is worked on twice at once, whatever happens in whatever order', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 60 }),
      fc.integer({ min: 1, max: 3 }),
      async (steps, workers) => {
        const clock = new ManualClock();
        const queue = new Queue(clock, { added: () => undefined, taken: () => undefined });
        const stop = new AbortController();
        const working: string[] = [];
        const wrong: string[] = [];
        /** When each key must have been taken again: the earliest time somebody asked for since it was last taken. */
        const owed = new Map<string, number>();
        const owe = (key: string, at: number) => owed.set(key, Math.min(owed.get(key) ?? at, at));
        const take = () =>
          queue.take(stop.signal).then((key) => {
            if (key === undefined) return;
            if (working.includes(key)) wrong.push(`${key} twice at once`);
            if ((owed.get(key) ?? Number.POSITIVE_INFINITY) > clock.now())
              wrong.push(`${key} before its time`);
            owed.delete(key);
            working.push(key);
          });
        for (let i = 0; i < workers; i++) void take();

        const run = async (one: Step) => {
          if (one.do === 'wake') {
            owe(one.key, clock.now());
            queue.wake(one.key);
          } else if (one.do === 'pass') {
            await clock.pass(one.ms);
          } else if (working.length > 0) {
            const [key] = working.splice(one.pick % working.length, 1);
            if (one.requeueMs !== null) owe(key!, clock.now() + one.requeueMs);
            queue.done(key!, one);
            void take();
          }
          await settled();
        };
        for (const one of steps) await run(one);
        // With workers that finish at once, all that is owed is paid.
        for (let round = 0; round < 200 && (owed.size > 0 || working.length > 0); round++) {
          while (working.length > 0) await run({ do: 'finish', pick: 0, failed: false, requeueMs: null });
          await clock.pass(1_000);
        }
        expect({ wrong, lost: [...owed] }).toEqual({ wrong: [], lost: [] });
        stop.abort();
        await settled();
        expect(clock.waiting).toBeLessThanOrEqual(1);
      },
    ),
    { numRuns: 300 },
  );
});
