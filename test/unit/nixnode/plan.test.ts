import type { Observation, TrialState } from '../../../controllers/lib/host/protocol.ts';
import { nextStep, type Policy } from '../../../controllers/nixnode/plan.ts';
import { observation, part, parts } from '../../support/observation.ts';

const wanted = { id: 'aaaaaaaaaaaa', parts: parts('a') };
const older = { id: 'bbbbbbbbbbbb', parts: parts('b') };
const policy: Policy = { reboot: 'Never', mode: 'Apply' };
const system = '/nix/store/11111111111111111111111111111111-nixos-system';
const stored = { system: [part('a'), part('b')], data: [part('d')], secrets: [part('e')] };
const built = { stored, releases: [{ ...wanted, system }] };
const job = { state: 'Running', startedAt: 1_000_000, messageB64: 'out of disk' } as const;

const trial = (state: TrialState, id = wanted.id): Partial<Observation> => ({
  ...built,
  trial: { id, attempt: 2, state, reason: null, messageB64: '', deadline: null, failedUnits: [] },
});

test.each<[string, Partial<Observation>, object, Partial<Policy>?]>([
  ['a bare host gets everything', {}, { do: 'stage', missing: ['system', 'data', 'secrets'] }],
  [
    'what the host has is not sent again',
    { stored: { ...stored, secrets: [] } },
    { do: 'stage', missing: ['secrets'] },
  ],
  ['what is staged is built', { stored, releases: [{ ...wanted, system: null }] }, { do: 'build' }],
  [
    'a build is waited for',
    { stored, releases: [{ ...wanted, system: null }], build: { ...job, id: wanted.id } },
    { do: 'wait', stage: 'Built', reason: 'Building' },
  ],
  [
    'the build of another release does not count',
    { stored, releases: [{ ...wanted, system: null }], build: { ...job, id: older.id } },
    { do: 'build' },
  ],
  [
    'a build that the host could not carry through waits a while',
    { stored, releases: [{ ...wanted, system: null }], build: { ...job, id: wanted.id, state: 'Failed' } },
    { do: 'wait', reason: 'BuildInterrupted' },
  ],
  [
    'and is tried again then',
    {
      stored,
      releases: [{ ...wanted, system: null }],
      build: { ...job, id: wanted.id, state: 'Failed', startedAt: 999_000 },
    },
    { do: 'build' },
  ],
  ['what is built is activated', built, { do: 'activate', attempt: 1 }],
  ['an activation is waited for', trial('Activating'), { do: 'wait', reason: 'Activating' }],
  [
    'what is healthy is confirmed',
    trial('AwaitingConfirmation'),
    { do: 'confirm', id: wanted.id, attempt: 2 },
  ],
  [
    'even if something newer is wanted by now',
    trial('AwaitingConfirmation', older.id),
    { do: 'confirm', id: older.id, attempt: 2 },
  ],
  [
    'an interrupted confirmation is finished',
    trial('Confirming'),
    { do: 'confirm', id: wanted.id, attempt: 2 },
  ],
  ['a revert is waited for', trial('Reverting'), { do: 'wait', reason: 'Reverting' }],
  ['a restart that is due waits for permission', trial('RebootDue'), { do: 'wait', reason: 'RebootDue' }],
  ['and happens with it', trial('RebootDue'), { do: 'reboot', attempt: 2 }, { reboot: 'WhenRequired' }],
  [
    'a restart due for another release is dropped',
    trial('RebootDue', older.id),
    { do: 'activate', attempt: 1 },
  ],
  [
    'what was reverted without being to blame is tried again',
    trial('Reverted'),
    { do: 'activate', attempt: 3 },
  ],
  ['what runs is left alone', { ...built, current: wanted.id, confirmed: wanted.id }, { do: 'nothing' }],
  [
    'lost secrets are sent again',
    {
      ...built,
      stored: { ...stored, secrets: [] },
      current: wanted.id,
      confirmed: wanted.id,
      secretsLost: true,
    },
    { do: 'stage', missing: ['secrets'] },
  ],
  ['a paused node is left alone', built, { do: 'wait', reason: 'Paused' }, { mode: 'Paused' }],
  [
    'but its trial is brought to an end',
    trial('AwaitingConfirmation'),
    { do: 'confirm', id: wanted.id },
    { mode: 'Paused' },
  ],
  [
    'a host that a person booted into something else is left alone',
    { ...built, bootedOther: true },
    { do: 'wait', reason: 'BootedOther' },
  ],
])('%s', (...[, changes, step, overrides]) => {
  expect(nextStep(observation(changes), wanted, { ...policy, ...overrides })).toMatchObject(step);
});

test('a release during which the host restarted thrice is taken to be the cause', () => {
  const seen = observation(trial('Reverted'));
  const restarted = { ...seen, trial: { ...seen.trial!, reason: 'HostRestarted' as const, attempt: 3 } };
  expect(nextStep(restarted, wanted, policy)).toMatchObject({
    do: 'reject',
    part: 'system',
    hash: part('a'),
    reason: 'HostRestarted',
  });
});
