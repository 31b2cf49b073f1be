import type { Observation } from '../../../controllers/lib/host/protocol.ts';
import { releaseId } from '../../../controllers/lib/nix/release.ts';
import {
  classOf,
  gateOf,
  nextInTurn,
  restartsServers,
  stopsPods,
  type Wanted,
} from '../../../controllers/nixnode/gate.ts';
import type { Policy } from '../../../controllers/nixnode/plan.ts';
import { clusterOf, nodeOf } from '../../support/cluster-objects.ts';
import { observation, part, parts } from '../../support/observation.ts';

const layout = part('1');
const release = (...of: Parameters<typeof parts>) => ({ id: releaseId(parts(...of)), parts: parts(...of) });
const old = release('a');
const wanted: Wanted = { ...release('b', 'c', 'f'), record: { layout } };
const system = '/nix/store/11111111111111111111111111111111-nixos-system';
const policy: Policy = { reboot: 'WhenRequired', mode: 'Apply' };
const closed = { activate: 'waits', restart: 'waits' };

const runs = (changes: Partial<Observation> = {}): Observation =>
  observation({
    stored: { system: [part('a')], data: [part('d')], secrets: [part('e')] },
    releases: [{ ...old, system }],
    ...{ current: old.id, confirmed: old.id, manifestB64: JSON.stringify({ layout }) },
    ...changes,
  });
const next = (seen: Observation, gate = closed as object) => nextInTurn(seen, wanted, wanted, policy, gate);
const before = release('a', 'c', 'f');
const hasBefore = {
  releases: [
    { ...old, system },
    { ...before, system },
  ],
  stored: { system: [part('a')], data: [part('d'), part('c')], secrets: [part('e'), part('f')] },
  ...{ current: before.id, confirmed: before.id },
};
const built = {
  ...hasBefore,
  releases: [...hasBefore.releases, { ...wanted, system }],
  stored: { ...hasBefore.stored, system: [part('a'), part('b')] },
};

describe('while a system waits for its turn', () => {
  test('data and secrets go ahead under the system that runs', () => {
    expect(next(runs())).toEqual({ aim: before, step: { do: 'stage', missing: ['data', 'secrets'] } });
  });
  test('files that this system may not know come with theirs', () => {
    const seen = runs({ manifestB64: JSON.stringify({ layout: part('2') }) });
    expect(next(seen).aim).toEqual(release('a', 'c', 'e'));
    expect(next(runs({ manifestB64: '' })).aim).toEqual(release('a', 'c', 'e'));
  });
  test('it is built ahead', () => {
    expect(next(runs(hasBefore))).toEqual({ aim: wanted, step: { do: 'stage', missing: ['system'] } });
  });
  test('and not activated', () => {
    expect(next(runs(built)).step).toMatchObject({
      do: 'wait',
      reason: 'WaitingForRollout',
      message: 'waits',
    });
  });
  test('what is on trial is brought to its end', () => {
    const trial = {
      id: wanted.id,
      attempt: 1,
      reason: null,
      messageB64: '',
      deadline: null,
      failedUnits: [],
    };
    const seen = runs({ ...built, trial: { ...trial, state: 'AwaitingConfirmation' } });
    expect(next(seen).step).toEqual({ do: 'confirm', id: wanted.id, attempt: 1 });
    expect(next(runs({ ...built, trial: { ...trial, state: 'RebootDue' } })).step).toMatchObject({
      reason: 'WaitingForRollout',
    });
    const due = runs({ ...built, trial: { ...trial, state: 'RebootDue' } });
    expect(next(due, { restart: 'waits' }).step).toMatchObject({ reason: 'WaitingForRollout' });
    expect(next(due, {}).step).toEqual({ do: 'reboot', attempt: 1 });
  });
  test('a host that lost what runs there waits as a whole', () => {
    const seen = runs({ stored: { system: [], data: [], secrets: [] } });
    expect(next(seen)).toMatchObject({ aim: wanted, step: { do: 'stage' } });
  });
});

test('with its turn it is activated', () => {
  expect(next(runs(built), {})).toEqual({ aim: wanted, step: { do: 'activate', attempt: 1 } });
});

test('what changes no system waits for nobody', () => {
  const data: Wanted = { ...release('a', 'c'), record: { layout } };
  expect(nextInTurn(runs(), data, data, policy, closed)).toEqual({
    aim: data,
    step: { do: 'stage', missing: ['data'] },
  });
});

describe('a grant', () => {
  const member = nodeOf('node1');
  const place = { name: 'node1', uid: 'u', index: 1, podCIDRs: [], addresses: [], underlayAddresses: [] };
  const clusterWith = (more: object) => clusterOf({}, { nodes: [{ ...place, ...more }] });
  const rollout = { state: 'Waiting', message: 'node2 is being changed' };

  test('is waited for, in the words of the cluster', () => {
    expect(gateOf(member, clusterWith({ rollout }), wanted, runs())).toEqual({
      activate: `release ${wanted.id} waits for the roll-out of cluster demo: node2 is being changed`,
      restart: `the restart into release ${wanted.id} waits for the roll-out of cluster demo: node2 is being changed`,
    });
  });
  test('is of one release, and of others with its system', () => {
    expect(gateOf(member, clusterWith({ granted: wanted.id, restart: wanted.id }), wanted, runs())).toEqual(
      {},
    );
    const same = release('b');
    const seen = runs({ releases: [{ ...same, system }] });
    expect(gateOf(member, clusterWith({ granted: same.id }), wanted, seen)).not.toHaveProperty('activate');
    expect(gateOf(member, clusterWith({ granted: old.id }), wanted, runs())).toHaveProperty('activate');
  });
  test('is not asked of a cluster that is not there, or going', () => {
    expect(gateOf(member, undefined, wanted, runs())).toEqual({});
    const cluster = clusterWith({ rollout });
    const going = {
      ...cluster,
      metadata: { ...cluster.metadata, deletionTimestamp: '2026-11-21T10:00:00Z' },
    };
    expect(gateOf(member, going, wanted, runs())).toEqual({});
  });
});

test('the class is the gravest part that differs', () => {
  const from = parts('a', 'b', 'c');
  expect(classOf(parts('x', 'x', 'x'), from)).toBe('system');
  expect(classOf(parts('a', 'x', 'x'), from)).toBe('data');
  expect(classOf(parts('a', 'b', 'x'), from)).toBe('secrets');
  expect(classOf(from, from)).toBeUndefined();
  expect(classOf(from, undefined)).toBe('system');
});

test('pods stop where what they rest on changes, or is not known', () => {
  const on = (podsRestOn: string) => ({ ...wanted, record: { podsRestOn } });
  const seen = { manifestB64: JSON.stringify({ podsRestOn: '1.36 CRIO' }) };
  expect(stopsPods(on('1.36 CRIO'), seen)).toBe(false);
  expect(stopsPods(on('1.37 CRIO'), seen)).toBe(true);
  expect(stopsPods(on('1.36 CRIO'), { manifestB64: '' })).toBe(true);
});

describe('keys that etcd and the API server read once', () => {
  const origins = {
    'etcd-trust': part('1'),
    encryption: part('2'),
    'service-account': part('3'),
    cluster: part('4'),
  };
  const rotated = release('a', 'd', 'f');
  const wants = (changed: object): Wanted => ({
    ...rotated,
    record: { layout, origins: { ...origins, ...changed } },
  });
  const seen = runs({ manifestB64: JSON.stringify({ layout, origins }) });
  const staged = runs({
    manifestB64: JSON.stringify({ layout, origins }),
    releases: [
      { ...old, system },
      { ...rotated, system },
    ],
    stored: { system: [part('a')], data: [part('d')], secrets: [part('e'), part('f')] },
  });
  const stepTo = (changed: object, at: Observation, gate: object) =>
    nextInTurn(at, rotated, wants(changed), policy, gate).step;

  test.each(['etcd-trust', 'encryption', 'service-account'])('another %s waits for its turn', (name) => {
    const changed = { [name]: part('9') };
    expect(restartsServers(wants(changed), seen)).toBe(true);
    expect(stepTo(changed, seen, closed)).toEqual({ do: 'stage', missing: ['secrets'] });
    expect(stepTo(changed, staged, closed)).toMatchObject({ do: 'wait', reason: 'WaitingForRollout' });
    expect(stepTo(changed, staged, {})).toMatchObject({ do: 'activate' });
  });

  test('another authority of the cluster does not, nor do the first keys of a host', () => {
    expect(stepTo({ cluster: part('9') }, staged, closed)).toMatchObject({ do: 'activate' });
    const first = { ...staged, manifestB64: JSON.stringify({ layout }) };
    expect(stepTo({ encryption: part('9') }, first, closed)).toMatchObject({ do: 'activate' });
  });

  test('new data does not wait for them, and a new system does not bring them ahead', () => {
    const both = release('b', 'c', 'f');
    const wanted = { ...both, record: wants({ encryption: part('9') }).record };
    expect(nextInTurn(staged, both, wanted, policy, closed).aim).toEqual(release('a', 'c', 'e'));
  });
});
