import { releaseOf, statusOf } from '../../../controllers/nixnode/status.ts';
import { NixNode } from '../../../crds/index.ts';
import { nixNodeStatus } from '../../../crds/nixnode-status.ts';
import { observation, part, parts } from '../../support/observation.ts';

const node = NixNode.parse({
  apiVersion: 'firn.dev/v1alpha1',
  kind: 'NixNode',
  metadata: { name: 'alpha', namespace: 'fleet', uid: 'u', resourceVersion: '1' },
  spec: {
    ssh: { host: '192.0.2.1', keyRef: { name: 'key' }, hostKeyPolicy: 'TrustOnFirstUse' },
    stateVersion: '26.05',
    nixpkgs: { url: 'github:NixOS/nixpkgs/nixos-26.05' },
  },
});
const long = '\u001b…'.repeat(50_000);
const facts = observation().facts;
const id = 'a'.repeat(12);
const now = Date.UTC(2026, 10, 21);

/** What passes the protocol's schema and would not fit into a status as it is. */
test.each([
  [
    'long words',
    {
      facts: {
        ...facts,
        hostnameB64: long,
        kernelB64: long,
        nixVersionB64: long,
        nixosVersionB64: long,
      },
    },
  ],
  [
    'many addresses',
    { facts: { ...facts, addresses: Array.from({ length: 5_000 }, (_, i) => `fd00::${i.toString(16)}`) } },
  ],
  [
    'a long story, and a deadline after the end of time',
    {
      trial: {
        id,
        attempt: 1,
        state: 'Reverted' as const,
        reason: 'UnitsFailed' as const,
        messageB64: long,
        deadline: Number.MAX_SAFE_INTEGER,
        failedUnits: [],
      },
    },
  ],
  [
    'a long memory, and of times before time',
    {
      bad: Array.from({ length: 200 }, () => ({
        part: 'system' as const,
        hash: part('b'),
        reason: 'UnitsFailed',
        messageB64: long,
        at: -Number.MAX_SAFE_INTEGER,
      })),
    },
  ],
  ['a clock beyond the calendar', { time: Number.MAX_SAFE_INTEGER }],
  ['a clock before the epoch', { time: -1 }],
])('%s: the API server takes the status', (_, changes) => {
  const status = JSON.parse(JSON.stringify(statusOf(node, observation(changes), id, now)));
  expect(nixNodeStatus.safeParse(status).error?.issues ?? []).toEqual([]);
  // etcd's limit for an object, of which others need their share.
  expect(Buffer.byteLength(JSON.stringify(status))).toBeLessThan(500_000);
});

test('when it was seen is told by our clock, not by that of the host', () => {
  expect(statusOf(node, observation({ time: 0 }), id, now).lastObserved).toBe('2026-11-21T00:00:00Z');
});

test.each([
  ['wanted', id, true],
  ['not wanted any more', 'b'.repeat(12), undefined],
])('a reboot into a release that is %s', (_, desired, due) => {
  const trial = { id, attempt: 1, reason: null, messageB64: '', deadline: null, failedUnits: [] };
  const seen = observation({ trial: { ...trial, state: 'RebootDue' } });
  expect(statusOf(node, seen, desired, now).rebootDue).toBe(due);
});

describe('a key that restarts servers', () => {
  const [was, desired] = ['b'.repeat(12), 'c'.repeat(12)];
  const origins = (letter: string) => ({ 'etcd-trust': part(letter) });
  const wanted = { id: desired, parts: parts('a', 'd', 'f'), record: { origins: origins('2') } };
  const waiting = { ...node, status: { release: { desired, confirmed: was, restartsServers: true } } };
  const runs = (current: string, confirmed: string, letter: string, of: typeof node) => {
    const releases = [
      { id: was, parts: parts('a'), system: '/nix/store/s' },
      { id: desired, parts: wanted.parts, system: '/nix/store/s' },
    ];
    const seen = { current, confirmed, releases, manifestB64: JSON.stringify({ origins: origins(letter) }) };
    return releaseOf(of, observation(seen), desired, wanted)?.restartsServers;
  };
  test('is ahead until it is confirmed', () => {
    expect(runs(was, was, '1', node)).toBe(true);
    expect(runs(desired, was, '2', waiting)).toBe(true);
    expect(runs(desired, desired, '2', waiting)).toBeUndefined();
  });
  test('and no longer where it is not asked for any more', () => {
    expect(runs(was, was, '2', waiting)).toBeUndefined();
  });
});
