import { Sealed } from '../../../controllers/lib/core/sealed.ts';
import {
  composeStatus,
  type Status,
  type StatusInput,
  type Verdict,
} from '../../../controllers/lib/runtime/status.ts';
import { dishonesties } from '../../support/honest-status.ts';

const succeeded: Verdict = { status: 'True', reason: 'Succeeded', message: '' };
const failed: Verdict = { status: 'False', reason: 'NoRoute', message: 'no route to host' };
const ready = { ready: true, reason: 'Reconciled', message: '', stalled: false };
const waiting = { ready: false, reason: 'NoRoute', message: 'no route to host', stalled: false };
const at = Date.UTC(2026, 10, 21, 12, 0, 0);

const compose = (input: Partial<StatusInput>): Status =>
  composeStatus({
    previous: {},
    declared: ['Reachable', 'Applied'],
    stepped: new Map(),
    omitted: new Set(),
    settled: ready,
    reported: {},
    word: undefined,
    generation: 1,
    now: at,
    ...input,
  });

const conditionOf = (status: Status, type: string) => status.conditions!.find((one) => one.type === type)!;
const brief = (status: Status) =>
  Object.fromEntries(status.conditions!.map((one) => [one.type, `${one.status} ${one.reason}`]));

test('all conditions are there from the first visit on', () => {
  expect(brief(compose({ settled: waiting, stepped: new Map([['Reachable', failed]]) }))).toEqual({
    Ready: 'False NoRoute',
    Reachable: 'False NoRoute',
    Applied: 'Unknown Pending',
    Reconciling: 'True NoRoute',
    Stalled: 'False NotStalled',
  });
});

test('a condition that is not about the object is not there, whatever it was before', () => {
  const previous = compose({ stepped: new Map([['Applied', failed]]) });
  const status = compose({ previous, omitted: new Set(['Applied']) });
  expect(Object.keys(brief(status))).toEqual(['Ready', 'Reachable', 'Reconciling', 'Stalled']);
});

test.each([
  ['ready', ready, { Ready: 'True', Reconciling: 'False', Stalled: 'False' }],
  ['waiting', waiting, { Ready: 'False', Reconciling: 'True', Stalled: 'False' }],
  ['stalled', { ...waiting, stalled: true }, { Ready: 'False', Reconciling: 'False', Stalled: 'True' }],
])('%s: the summary follows kstatus and is honest', (_, settled, expected) => {
  const status = compose({ settled });
  for (const [type, truth] of Object.entries(expected)) expect(conditionOf(status, type).status).toBe(truth);
  expect(dishonesties({ metadata: { name: 'x', generation: 1 }, status })).toEqual([]);
});

test('a condition that was not reached keeps what it said, and of which generation', () => {
  const previous = compose({
    stepped: new Map([
      ['Reachable', succeeded],
      ['Applied', succeeded],
    ]),
  });
  const status = compose({
    previous,
    generation: 2,
    settled: waiting,
    stepped: new Map([['Reachable', failed]]),
    now: at + 60_000,
  });
  expect(conditionOf(status, 'Applied')).toEqual(conditionOf(previous, 'Applied'));
  expect(conditionOf(status, 'Applied').observedGeneration).toBe(1);
  expect(conditionOf(status, 'Reachable').observedGeneration).toBe(2);
});

test('lastTransitionTime moves with the status of a condition, not with its reason or message', () => {
  const previous = compose({ settled: waiting });
  const other = compose({ previous, settled: { ...waiting, reason: 'Refused' }, now: at + 60_000 });
  expect(conditionOf(other, 'Ready')).toMatchObject({
    reason: 'Refused',
    lastTransitionTime: '2026-11-21T12:00:00Z',
  });
  const changed = compose({ previous: other, now: at + 120_500 });
  expect(conditionOf(changed, 'Ready').lastTransitionTime).toBe('2026-11-21T12:02:00Z');
});

test('the same again is equal to what was there', () => {
  const input = {
    reported: { facts: { cores: 2, disk: undefined } },
    stepped: new Map([['Reachable', succeeded]]),
  };
  const previous = compose(input);
  expect(compose({ ...input, previous, now: at + 3_600_000 })).toEqual(previous);
});

test('what was reported before is said again, since server-side apply takes away what is not', () => {
  const previous = compose({ reported: { bootId: 'b1', release: { current: 'r1' } } });
  const status = compose({ previous, reported: { release: { current: 'r2' } } });
  expect(status).toMatchObject({ bootId: 'b1', release: { current: 'r2' } });
});

test('a field reported as undefined is taken away', () => {
  const previous = compose({ reported: { plan: { id: 'p' } } });
  expect(compose({ previous, reported: { plan: undefined } })).not.toHaveProperty('plan');
});

test('the STATUS column has the word that was given, else the reason of Ready', () => {
  expect(compose({ word: 'Healthy' }).summary).toBe('Healthy');
  expect(compose({ settled: waiting }).summary).toBe('NoRoute');
});

test('conditions that are not of this controller any more are let go', () => {
  const previous = compose({ declared: ['Former'], stepped: new Map([['Former', succeeded]]) });
  expect(brief(compose({ previous }))).not.toHaveProperty('Former');
});

test('a sealed value that is reported by mistake stays sealed, a message without end is cut', () => {
  const status = compose({
    reported: { key: new Sealed('canary') },
    settled: { ...waiting, message: 'x'.repeat(100_000) },
  });
  expect(JSON.stringify(status)).not.toContain('canary');
  expect(conditionOf(status, 'Ready').message.length).toBeLessThanOrEqual(32_768);
});
