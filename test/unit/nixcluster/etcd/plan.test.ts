/** What chance seldom comes by: moments in which a wrong step would cost a cluster. test/property/nixcluster has the rest. */
import type { Decision } from '../../../../controllers/nixcluster/etcd/plan.ts';
import { EtcdWorld } from '../../../support/etcd-world.ts';

const names = ['a', 'b', 'c'];
const round = (world: EtcdWorld, skip: readonly string[] = []): Decision => {
  for (const { name } of world.hosts) {
    if (skip.includes(name)) continue;
    world.sync(name);
    world.start(name);
    world.sync(name);
  }
  return world.visit();
};
const rounds = (world: EtcdWorld, count = 20, skip: readonly string[] = []): Decision => {
  for (let n = 1; n < count; n++) round(world, skip);
  return round(world, skip);
};
const standing = (): EtcdWorld => {
  const world = new EtcdWorld(names);
  expect(rounds(world).etcd.state).toBe('Healthy');
  return world;
};

test('the way of three: one begins, the others follow one at a time', () => {
  const world = new EtcdWorld(names);
  const said: string[] = [];
  for (let n = 0; n < 12; n++) {
    const { action, trouble, etcd } = round(world);
    said.push([action?.do, etcd.initial?.for[0], trouble?.reason ?? 'well'].filter(Boolean).join(' '));
  }
  expect(said.filter((line, at) => line !== said[at - 1])).toEqual([
    'a EtcdStarting',
    'add EtcdJoining',
    'b EtcdJoining',
    'promote EtcdJoining',
    'add EtcdJoining',
    'c EtcdJoining',
    'promote EtcdJoining',
    'well',
  ]);
});

test('nobody begins before all hosts were heard', () => {
  const world = new EtcdWorld(names);
  world.sync('a');
  world.sync('c');
  expect(world.visit()).toMatchObject({
    etcd: { state: 'Absent', transport: 'TLS' },
    action: null,
    trouble: { reason: 'EtcdUnobserved', message: expect.stringContaining('not heard yet: b') },
  });
});

test('a host that lost its data is not told to begin while others that have them were not heard', () => {
  const world = standing();
  world.fail('a', 'disk');
  world.forgetAll();
  world.sync('a');
  expect(world.visit().etcd.initial).toBeUndefined();
  world.start('a');
  expect(world.lists.size).toBe(1);
  expect(rounds(world).etcd.state).toBe('Healthy');
});

test('who was told to begin stays the one, though it cannot be reached', () => {
  const world = new EtcdWorld(names);
  for (const name of names) world.sync(name);
  world.visit();
  world.sync('a');
  world.fail('a', 'down');
  rounds(world, 5);
  world.recover('a');
  world.start('a');
  expect(rounds(world).etcd.state).toBe('Healthy');
  expect(world.lists.size).toBe(1);
});

test('a disk that is lost right after the first start makes no second one of the same word', () => {
  const world = new EtcdWorld(names);
  for (const name of names) world.sync(name);
  world.visit();
  world.sync('a');
  world.start('a');
  world.fail('a', 'disk');
  world.start('a');
  expect(world.host('a').data).toBeNull();
  world.sync('a');
  expect(world.visit()).toMatchObject({ etcd: { state: 'Lost' }, trouble: { reason: 'EtcdLost' } });
});

test('a learner that loses its data before anybody saw it is removed, and added anew', () => {
  const world = new EtcdWorld(names);
  let decision = round(world);
  while (decision.etcd.initial?.for[0] !== 'b') decision = round(world);
  const { start } = decision.etcd.initial!;
  world.sync('b');
  world.start('b');
  expect(world.host('b').data?.member).toBe(start);
  world.fail('b', 'disk');
  world.start('b');
  expect(world.host('b').data).toBeNull();
  world.sync('b');
  expect(world.visit().action).toMatchObject({ do: 'remove', id: start, unlessOn: 'b' });
  expect(rounds(world).etcd.state).toBe('Healthy');
});

test('one whose host is gone before it started makes room for the next', () => {
  const world = new EtcdWorld(names);
  let decision = round(world);
  while (decision.etcd.initial?.for[0] !== 'b') decision = round(world);
  world.fail('b', 'down');
  expect(rounds(world, 12).etcd.members?.map(({ node, learner }) => [node, learner])).toEqual(
    expect.arrayContaining([
      ['a', false],
      ['c', false],
    ]),
  );
  expect(world.visit().trouble).toMatchObject({
    reason: 'EtcdDegraded',
    message: expect.stringContaining('b cannot join'),
  });
});

test('one whose host is gone while it learns is waited for, and somebody is told', () => {
  const world = new EtcdWorld(names);
  let decision = round(world);
  while (decision.etcd.initial?.for[0] !== 'b') decision = round(world);
  world.sync('b');
  world.start('b');
  world.sync('b');
  world.fail('b', 'down');
  expect(rounds(world, 5)).toMatchObject({
    action: null,
    trouble: {
      ...{ verdict: 'waiting', reason: 'EtcdDegraded' },
      message: expect.stringMatching(
        /b cannot join: it is a learner already, and its host cannot be reached/,
      ),
    },
  });
  world.host('b').stage = 'leaving';
  expect(rounds(world).etcd.members?.map(({ node, learner }) => [node, learner])).toEqual([
    ['a', false],
    ['c', false],
  ]);
});

test('a dead host keeps its member until its NixNode leaves, and then goes though it is dead', () => {
  const world = standing();
  world.fail('c', 'down');
  const degraded = rounds(world, 3);
  expect(degraded).toMatchObject({
    action: null,
    etcd: { state: 'Degraded' },
    trouble: { reason: 'EtcdDegraded' },
  });
  world.host('c').stage = 'leaving';
  expect(world.visit().action).toMatchObject({ do: 'remove', who: 'c' });
  expect(rounds(world, 3).etcd.members).toHaveLength(2);
});

test('a member whose NixNode is gone is removed', () => {
  const world = standing();
  world.fail('c', 'down');
  world.hosts.splice(2, 1);
  expect(world.visit().action).toMatchObject({ do: 'remove', who: 'c', because: 'NixNode c is gone' });
});

test('no member goes at the price of the majority, unless a user names it', () => {
  const world = standing();
  world.fail('a', 'stop');
  world.host('b').stage = 'leaving';
  const { action, trouble } = world.visit();
  expect(action).toBeNull();
  expect(trouble).toMatchObject({ reason: 'EtcdQuorumAtRisk', verdict: 'waiting' });
  const { id } = world.status!.members!.find(({ node }) => node === 'b')!;
  expect(trouble?.message).toContain(`1 of the 2 that would remain are healthy, and 2 have to be`);
  expect(trouble?.message).toContain(`firn.dev/remove-etcd-member=${id}`);
  world.accepted = { removal: id, loss: undefined };
  expect(() => world.visit()).toThrow('no majority after');
});

test('the last member stays, whatever is asked', () => {
  const world = new EtcdWorld(['a', 'b']);
  rounds(world);
  world.host('b').stage = 'leaving';
  rounds(world, 3);
  world.host('a').stage = 'leaving';
  const { id } = world.status!.members![0]!;
  world.accepted = { removal: id, loss: undefined };
  expect(world.visit()).toMatchObject({
    action: null,
    trouble: { message: expect.stringContaining('is the only one') },
  });
});

test('a member that nobody knows is told of, and goes if a user names it', () => {
  const world = standing();
  const [cluster] = world.lists.keys();
  world.lists.get(cluster!)!.push({ id: 'f00', name: 'stranger', url: 'https://x:2380', learner: true });
  expect(world.visit()).toMatchObject({
    action: null,
    trouble: {
      reason: 'EtcdUnknownMember',
      message: expect.stringContaining('f00 (stranger, https://x:2380)'),
    },
  });
  world.accepted = { removal: 'f00', loss: undefined };
  expect(world.visit().action).toMatchObject({ do: 'remove', id: 'f00' });
});

test("another cluster's data are nobody's to remove", () => {
  const world = standing();
  world.fail('c', 'disk');
  world.host('c').data = { cluster: 'e1', member: 'e2' };
  const { trouble } = rounds(world, 6);
  expect(trouble).toMatchObject({
    reason: 'EtcdForeignData',
    message: expect.stringContaining('another cluster of etcd, e1'),
  });
  expect(world.host('c').data).toEqual({ cluster: 'e1', member: 'e2' });
  world.host('c').data = null;
  expect(rounds(world).etcd.state).toBe('Healthy');
});

test('without a majority nothing is done, and who is silent is named', () => {
  const world = standing();
  world.fail('a', 'stop');
  world.fail('b', 'stop');
  const { action, etcd, trouble } = world.visit();
  expect(action).toBeNull();
  expect(etcd.members).toHaveLength(3);
  expect([etcd.state, trouble?.reason]).toEqual(['NoQuorum', 'EtcdNoQuorum']);
  expect(trouble?.message).toContain('a: connection refused; b: connection refused; c: it knows no leader');
});
