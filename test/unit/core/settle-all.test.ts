import { ReconcileError, type Verdict } from '../../../controllers/lib/core/outcome.ts';
import { settleAll } from '../../../controllers/lib/core/settle-all.ts';

const failing = (verdict: Verdict, reason: string, recheckMs?: number) => () => {
  throw new ReconcileError(verdict, reason, reason, recheckMs === undefined ? {} : { recheckMs });
};

test('all is tried, and the gravest failure is told', async () => {
  const done: string[] = [];
  const work = [failing('progressing', 'Soon'), () => done.push('second'), failing('terminal', 'Never')];
  await expect(settleAll(work)).rejects.toMatchObject({ verdict: 'terminal', reason: 'Never' });
  expect(done).toEqual(['second']);
});

test.each<[string, (() => never)[], { reason: string; recheckMs: number | undefined }]>([
  [
    'the soonest',
    [failing('waiting', 'Grave'), failing('progressing', 'B', 10)],
    { reason: 'Grave', recheckMs: 10 },
  ],
  [
    'its own',
    [failing('waiting', 'Grave', 5), failing('progressing', 'B', 10)],
    { reason: 'Grave', recheckMs: 5 },
  ],
  [
    'none',
    [failing('waiting', 'Grave'), failing('progressing', 'B')],
    { reason: 'Grave', recheckMs: undefined },
  ],
  [
    'a backoff',
    [failing('transient', 'Grave'), failing('waiting', 'B', 10)],
    { reason: 'Grave', recheckMs: undefined },
  ],
])('the next look comes after %s', async (_, work, expected) => {
  await expect(settleAll(work)).rejects.toMatchObject(expected);
});
