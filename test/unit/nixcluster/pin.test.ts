import { awaitAnswer, pinOf } from '../../../controllers/nixcluster/pin.ts';
import { clusterOf, nodeOf, url } from '../../support/cluster-objects.ts';

const hashOf = (digit: string) => `sha256-${digit.repeat(43)}=`;
const lockedAs = (digit: string, lastModified = 1_790_000_000) =>
  JSON.stringify({
    type: 'github',
    owner: 'NixOS',
    repo: 'nixpkgs',
    rev: digit.repeat(40),
    narHash: hashOf(digit),
    lastModified,
  });
const recordAs = (digit: string, extra = {}) => ({
  url,
  rev: digit.repeat(40),
  narHash: hashOf(digit),
  lastModified: 1_790_000_000,
  locked: lockedAs(digit),
  ...extra,
});

const lastObserved = '2026-11-21T10:00:00Z';
const reachable = (status = 'True', reason = 'Succeeded') => [
  { type: 'Reachable', status, reason, message: '', lastTransitionTime: lastObserved },
];
const heard = (name: string, status = {}) =>
  nodeOf(name, { status: { lastObserved, conditions: reachable(), ...status } });
const builtFrom = (name: string, digit: string, extra = {}) =>
  heard(name, { member: { cluster: 'demo', index: 1, nixpkgs: { url, locked: lockedAs(digit), ...extra } } });
const resolved = (name: string, digit: string) => heard(name, { nixpkgs: { url, locked: lockedAs(digit) } });

const known = (digit: string, extra = {}) => ({ state: 'known', record: recordAs(digit, extra) });

test('what the user pins needs no host', () => {
  const nixpkgs = { url, rev: 'c'.repeat(40), narHash: hashOf('c') };
  const pin = pinOf(clusterOf({}, undefined, { nixpkgs }), []);
  expect(pin).toMatchObject({ state: 'known', record: { url, rev: 'c'.repeat(40), narHash: hashOf('c') } });
});

test('what status has stays, whatever hosts say', () => {
  const cluster = clusterOf({}, { nixpkgs: recordAs('a') });
  expect(pinOf(cluster, [builtFrom('node1', 'b'), nodeOf('node2')])).toEqual(known('a'));
});

test('a status that was lost comes back from what most hosts run, before what one of them looked up', () => {
  const hosts = [
    builtFrom('n1', 'a'),
    builtFrom('n2', 'b'),
    builtFrom('n3', 'b'),
    resolved('n4', 'c'),
    nodeOf('n5'),
  ];
  expect(pinOf(clusterOf(), hosts)).toEqual(known('b'));
});

test('of equally many hosts the newest decides', () => {
  const newer = heard('n2', {
    member: { cluster: 'demo', index: 2, nixpkgs: { url, locked: lockedAs('a', 1_790_000_001) } },
  });
  const pin = pinOf(clusterOf(), [builtFrom('n1', 'b'), newer]);
  expect(pin).toEqual(known('a', { lastModified: 1_790_000_001, locked: lockedAs('a', 1_790_000_001) }));
});

test('what answers another question, or is nothing that can be locked, is no answer', () => {
  const strange = heard('n2', { nixpkgs: { url, locked: '{"type":"github"}' } });
  const hosts = [
    builtFrom('n1', 'a', { refresh: 'before' }),
    strange,
    heard('n3', { nixpkgs: { url, locked: '{' } }),
  ];
  expect(pinOf(clusterOf(), hosts)).toEqual({ state: 'asked', resolver: 'n1' });
});

test('a new refresh is resolved anew, at once', () => {
  const cluster = clusterOf({}, { nixpkgs: recordAs('a') }, { nixpkgs: { url, refresh: 'now' } });
  const pin = pinOf(cluster, [nodeOf('n1'), builtFrom('n2', 'a')]);
  expect(pin).toEqual({ state: 'asked', resolver: 'n2' });
});

test('the answer of the resolver goes before those of others', () => {
  const cluster = clusterOf({}, { resolver: 'n2' });
  expect(pinOf(cluster, [resolved('n1', 'a'), resolved('n2', 'b')])).toEqual(known('b'));
});

test('the resolver stays as long as it can be reached', () => {
  const cluster = clusterOf({}, { resolver: 'n2' });
  expect(pinOf(cluster, [heard('n1'), heard('n2')])).toEqual({ state: 'asked', resolver: 'n2' });
  const lost = heard('n2', { conditions: reachable('False', 'ConnectTimeout') });
  expect(pinOf(cluster, [heard('n1'), lost])).toEqual({ state: 'asked', resolver: 'n1' });
});

test('nothing is resolved before all hosts were heard, where nothing was ever pinned', () => {
  expect(() => pinOf(clusterOf(), [heard('n1'), nodeOf('n2')])).toThrow(
    expect.objectContaining({
      verdict: 'waiting',
      reason: 'MembersUnobserved',
      message: expect.stringMatching(/: n2$/),
    }),
  );
});

test('without anybody to ask it says so', () => {
  expect(() => pinOf(clusterOf(), [])).toThrow(expect.objectContaining({ reason: 'NoMembers' }));
  const lost = heard('n1', { conditions: reachable('False', 'ConnectTimeout') });
  expect(() => pinOf(clusterOf(), [lost])).toThrow(
    expect.objectContaining({ verdict: 'waiting', reason: 'NoMemberReachable' }),
  );
});

test('what the resolver says of its failure is said of the cluster', () => {
  const failed = heard('n1', {
    conditions: [
      {
        type: 'Ready',
        status: 'False',
        reason: 'NixpkgsUnresolved',
        message: 'no such branch',
        lastTransitionTime: lastObserved,
      },
    ],
  });
  expect(() => awaitAnswer('n1', [failed], url)).toThrow(
    expect.objectContaining({ reason: 'NixpkgsUnresolved', message: 'NixNode n1: no such branch' }),
  );
  expect(() => awaitAnswer('n1', [heard('n1')], url)).toThrow(
    expect.objectContaining({ verdict: 'progressing', reason: 'ResolvingNixpkgs' }),
  );
});
