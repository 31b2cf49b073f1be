import {
  encryptionMachine,
  type Gate,
  nextStage,
  trustMachine,
} from '../../../controllers/clusterpki/machine.ts';
import type { RotationRecord } from '../../../controllers/clusterpki/record.ts';

const open: Gate = { open: true };
const shut: Gate = { open: false, waitsFor: 'node1 to have it' };
const at = (stage: RotationRecord['stage'], request: string | null = 'a'): RotationRecord => ({
  stage,
  request,
  startedAt: '2026-11-21T10:00:00Z',
});
const nothing = { request: undefined, abort: undefined };

describe('a rotation at rest', () => {
  test.each([
    ['nobody asks', null, undefined],
    ['what is asked for was done', 'a', 'a'],
    ['the request was taken away', 'a', undefined],
  ])('stays so where %s', (_, done, request) => {
    const next = nextStage(trustMachine, at('Idle', done), { request, abort: undefined }, open);
    expect(next).toEqual({ stays: true, waitsFor: null });
  });

  test('begins with a value that was not acted upon', () => {
    const asked = { request: 'b', abort: 'a' };
    expect(nextStage(trustMachine, at('Idle'), asked, shut)).toEqual({ to: 'Distribute', request: 'b' });
    expect(nextStage(encryptionMachine, at('Idle', null), asked, shut)).toEqual({ to: 'Add', request: 'b' });
  });

  test('does not begin what is aborted at once, and remembers it', () => {
    const next = nextStage(trustMachine, at('Idle'), { request: 'b', abort: 'b' }, open);
    expect(next).toEqual({ to: 'Idle', request: 'b' });
  });
});

test.each([
  [trustMachine, ['Distribute', 'Reissue', 'Retire', 'Idle']],
  [trustMachine, ['Abort', 'Idle']],
  [encryptionMachine, ['Add', 'Promote', 'Rewrite', 'Remove', 'Idle']],
  [encryptionMachine, ['Abort', 'Idle']],
] as const)('stages follow each other, each once its gate is open', (machine, stages) => {
  for (const [from, to] of stages.slice(0, -1).map((stage, index) => [stage, stages[index + 1]!] as const)) {
    expect(nextStage(machine, at(from), nothing, shut)).toEqual({
      stays: true,
      waitsFor: 'node1 to have it',
    });
    expect(nextStage(machine, at(from), nothing, open)).toEqual({ to, request: 'a' });
    // Another request has to wait for its turn.
    expect(nextStage(machine, at(from), { request: 'b', abort: undefined }, shut)).toHaveProperty('stays');
  }
});

test.each([
  [trustMachine, 'Distribute', 'Idle'],
  [trustMachine, 'Reissue', 'Abort'],
  [encryptionMachine, 'Add', 'Idle'],
  [encryptionMachine, 'Promote', 'Abort'],
  [encryptionMachine, 'Rewrite', 'Abort'],
] as const)('a stage that is taken back', (machine, from, to) => {
  const asked = { request: 'a', abort: 'a' };
  expect(nextStage(machine, at(from), asked, shut)).toEqual({ to, request: 'a' });
  expect(nextStage(machine, at(from), { ...asked, abort: 'b' }, shut)).toHaveProperty('stays');
});

test.each([
  [trustMachine, 'Retire'],
  [encryptionMachine, 'Remove'],
] as const)('the last stage is too late for that', (machine, from) => {
  const next = nextStage(machine, at(from), { request: 'a', abort: 'a' }, open);
  expect(next).toEqual({ to: 'Idle', request: 'a' });
});
