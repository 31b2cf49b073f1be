import { membersOf } from '../../../controllers/wireguardmesh/members.ts';
import { type MeshPlan, planMesh } from '../../../controllers/wireguardmesh/plan.ts';
import type { NixNodeStatus, WireguardMesh } from '../../../crds/index.ts';
import { clusterOf, meshNodeOf, meshWith, nameOf, nodeOf, publicKeyOf } from '../../support/mesh.ts';

type Said = NonNullable<NixNodeStatus['mesh']>;
type Given = Parameters<typeof nodeOf>[1];
const now = Date.parse('2026-11-21T12:00:00Z');
const handshake = '2026-11-21T11:59:00Z';

/** What a host says whose keys are those of `epochs`, and which is well with `peers`. */
const saying = (index: number, peers: readonly number[], said: Partial<Said> = {}, epochs = [1]): Given => ({
  status: {
    mesh: {
      keys: epochs.map((epoch) => ({ epoch, publicKey: publicKeyOf(`${nameOf(index)}/${epoch}`) })),
      active: epochs[0],
      peers: peers.length,
      connected: peers.length,
      details: epochs.flatMap((epoch) =>
        peers.map((peer) => ({
          name: nameOf(peer),
          epoch,
          state: 'Connected',
          lastHandshake: handshake,
          receivedBytes: 100 * index,
          sentBytes: 100 * peer,
        })),
      ),
      ...said,
    },
  },
});

const plan = (mesh: WireguardMesh, nodes: Record<number, Given>): MeshPlan => {
  const cluster = clusterOf(Object.keys(nodes).map(Number));
  return planMesh(
    mesh,
    cluster,
    membersOf(
      cluster,
      Object.entries(nodes).map(([index, given]) => nodeOf(Number(index), given)),
    ),
    now,
  );
};
const fresh = (spec: Record<string, unknown> = {}) =>
  meshWith([], { spec, status: { epoch: undefined, nodes: undefined } });
const reasonOf = (work: () => unknown): unknown => {
  try {
    work();
  } catch (error) {
    return (error as { reason?: string }).reason;
  }
  return 'no error';
};

describe('which keys are in use', () => {
  test('a new mesh begins with the first epoch', () => {
    expect(plan(fresh(), { 1: {}, 2: {} }).fields).toMatchObject({
      epoch: 1,
      rotatedAt: '2026-11-21T12:00:00Z',
      size: 2,
      connected: '0/2',
      nodes: [
        { name: 'node1', endpoint: '192.0.2.1:51820', keys: [] },
        { name: 'node2', keys: [] },
      ],
    });
  });

  test('nothing is decided until every host was asked', () => {
    const unseen = { status: { lastObserved: undefined } };
    expect(reasonOf(() => plan(fresh(), { 1: saying(1, [2]), 2: unseen }))).toBe('MeshMembersUnobserved');
    const untold = { status: { member: { cluster: 'demo', index: 2 } } };
    expect(reasonOf(() => plan(fresh(), { 1: saying(1, [2]), 2: untold }))).toBe('MeshMembersUnobserved');
    const elsewhere = { status: { member: { cluster: 'other', index: 2 } } };
    expect(plan(fresh(), { 1: saying(1, [2]), 2: elsewhere }).fields.epoch).toBe(1);
    expect(plan(fresh(), { 1: saying(1, [2]), 2: { ...unseen, deleted: true } }).fields.epoch).toBe(1);
  });

  test.each([
    ['all send with one epoch', [7], [7], 7, undefined],
    ['some have moved on', [7], [8], 7, 'Move'],
    ['a host that was away for long has an old one', [3], [8], 8, undefined],
  ])('lost status comes back from the hosts: %s', (_, one, two, epoch, stage) => {
    const { fields } = plan(fresh(), { 1: saying(1, [2], {}, one), 2: saying(2, [1], {}, two) });
    expect([fields.epoch, fields.rotation?.stage]).toEqual([epoch, stage]);
  });

  test('what was requested before the status was lost starts nothing; what is requested after it does', () => {
    const lost = fresh({ keyRotation: { request: 'a' } });
    const { fields } = plan(lost, { 1: saying(1, [2]), 2: saying(2, [1]) });
    expect([fields.request, fields.rotation]).toEqual(['a', undefined]);
    const kept = meshWith([], { spec: { keyRotation: { request: 'b' } }, status: { request: 'a' } });
    expect(plan(kept, { 1: saying(1, [2]), 2: saying(2, [1]) }).fields).toMatchObject({
      request: 'b',
      rotation: { stage: 'Prepare', epoch: 2, request: 'b', startedAt: '2026-11-21T12:00:00Z' },
    });
  });
});

describe('rotation', () => {
  const every = (rotatedAt: string) =>
    meshWith([], { spec: { keyRotation: { every: '24h' } }, status: { rotatedAt } });
  const two = { 1: saying(1, [2]), 2: saying(2, [1]) };

  test('begins when it is due', () => {
    expect(plan(every('2026-11-20T12:00:01Z'), two)).toMatchObject({
      dueMs: 1000,
      fields: { rotation: undefined },
    });
    expect(plan(every('2026-11-20T12:00:00Z'), two).fields.rotation).toMatchObject({
      stage: 'Prepare',
      epoch: 2,
    });
  });

  test('one that is under way is not begun again', () => {
    const mesh = meshWith([], {
      spec: { keyRotation: { every: '24h', request: 'new' } },
      status: {
        rotatedAt: '2026-11-01T00:00:00Z',
        rotation: { stage: 'Prepare', epoch: 2, startedAt: handshake },
      },
    });
    const { fields, dueMs } = plan(mesh, two);
    expect(fields.rotation).toMatchObject({ epoch: 2, startedAt: handshake });
    expect([fields.request, dueMs]).toEqual([undefined, Number.POSITIVE_INFINITY]);
  });

  const preparing = meshWith([meshNodeOf(1), meshNodeOf(2)], {
    status: { rotation: { stage: 'Prepare', epoch: 2, startedAt: handshake, shakenAt: handshake } },
  });

  test('new tunnels settle before anything is sent by them', () => {
    const shaken = { 1: saying(1, [2], {}, [1, 2]), 2: saying(2, [1], {}, [1, 2]) };
    const { shakenAt: _, ...rotation } = preparing.status!.rotation!;
    const first = plan({ ...preparing, status: { ...preparing.status!, rotation } }, shaken);
    expect(first.fields.rotation).toMatchObject({
      stage: 'Prepare',
      shakenAt: expect.any(String),
      waitsFor: 'new tunnels settle for a few seconds',
    });
    expect(first.dueMs).toBeGreaterThan(10_000);
    expect(first.dueMs).toBeLessThan(20_000);
    const broken = plan(preparing, { ...shaken, 2: saying(2, [], {}, [1]) });
    expect(broken.fields.rotation).not.toHaveProperty('shakenAt');
  });

  test('says whom it waits for, and whether that host answers', () => {
    const silent = saying(2, [1]);
    const gone = {
      ...silent,
      status: {
        ...silent!.status,
        conditions: [
          {
            type: 'Reachable',
            status: 'False',
            reason: 'ConnectTimeout',
            message: '',
            lastTransitionTime: handshake,
          },
        ],
      },
    };
    expect(plan(preparing, { 1: saying(1, [2], {}, [1, 2]), 2: gone }).fields.rotation?.waitsFor).toBe(
      'node2 has no key of epoch 2 yet and does not answer (ConnectTimeout)',
    );
    expect(
      plan(preparing, { 1: saying(1, [], {}, [1, 2]), 2: saying(2, [], {}, [1, 2]) }).fields.rotation
        ?.waitsFor,
    ).toBe('node1 and node2 have not shaken hands with keys of epoch 2');
  });

  test('whoever is being deleted is not waited for', () => {
    const { fields } = plan(preparing, {
      1: saying(1, [2], {}, [1, 2]),
      2: { ...saying(2, [1]), deleted: true },
    });
    expect(fields.rotation).toEqual({ stage: 'Move', epoch: 2, startedAt: handshake });
  });

  test('goes on when one of two tells of the handshake', () => {
    const { fields } = plan(preparing, { 1: saying(1, [2], {}, [1, 2]), 2: saying(2, [], {}, [1, 2]) });
    expect(fields.rotation?.stage).toBe('Move');
  });

  test('a host that tells of its worst peers alone is believed where the other side is as silent', () => {
    const many = Array.from({ length: 32 }, (_, at) => at + 10);
    const { fields } = plan(preparing, { 1: saying(1, many, {}, [2, 1]), 2: saying(2, many, {}, [2, 1]) });
    expect(fields.rotation?.stage).toBe('Move');
    const half = plan(preparing, { 1: saying(1, many, {}, [2, 1]), 2: saying(2, [], {}, [2, 1]) });
    expect(half.fields.rotation?.stage).toBe('Prepare');
  });
});

describe('pairs', () => {
  const mesh = meshWith([meshNodeOf(1), meshNodeOf(2), meshNodeOf(3)]);
  const detailOf = (peer: number, state: Said['details'][number]['state'], epoch = 1) => ({
    name: nameOf(peer),
    epoch,
    state,
    receivedBytes: 0,
    sentBytes: 0,
  });

  test('all is well', () => {
    const { fields, ...rest } = plan(mesh, {
      1: saying(1, [2, 3]),
      2: saying(2, [1, 3]),
      3: saying(3, [1, 2]),
    });
    expect(fields).toMatchObject({ connected: '3/3', size: 3, down: [] });
    expect(fields.pairs![0]).toEqual({
      a: 'node1',
      b: 'node2',
      state: 'Connected',
      lastHandshake: handshake,
      receivedBytes: 100,
      sentBytes: 200,
    });
    expect(rest).toMatchObject({
      keyless: [],
      problems: [],
      isDown: false,
      isConnected: true,
      conflicts: [],
    });
  });

  test('a node that nobody reaches is named, with where to look', () => {
    const without3 = { details: [detailOf(2, 'Connected'), detailOf(3, 'Down')] };
    const { fields, isDown } = plan(mesh, {
      1: saying(1, [2, 3], without3),
      2: saying(2, [1, 3], { details: [detailOf(1, 'Connected'), detailOf(3, 'Down')] }),
      3: saying(3, [1, 2], { details: [detailOf(1, 'Waiting'), detailOf(2, 'Waiting')] }),
    });
    expect([fields.connected, isDown]).toEqual(['0/3', true]);
    expect(fields.down).toEqual([
      {
        a: 'node1',
        b: 'node3',
        lookAt: expect.stringContaining(
          'node3 has a tunnel to nobody: whether UDP to 192.0.2.3:51820 gets there',
        ),
      },
      { a: 'node2', b: 'node3', lookAt: expect.stringContaining('node3 has a tunnel to nobody') },
    ]);
  });

  test('a node that is being deleted counts no more', () => {
    const lost = { details: [detailOf(2, 'Connected'), detailOf(3, 'Down')] };
    const { fields, isConnected } = plan(mesh, {
      1: saying(1, [2, 3], lost),
      2: saying(2, [1]),
      3: { ...saying(3, []), deleted: true },
    });
    expect([fields.connected, fields.size, fields.down, isConnected]).toEqual(['2/2', 2, [], true]);
    expect(fields.nodes).toHaveLength(3);
  });

  test('a host that says what is wrong is quoted', () => {
    const problem = 'UDP port 51820 is taken by dnsmasq';
    const { fields, problems } = plan(mesh, {
      1: saying(1, [2, 3], { details: [detailOf(2, 'Connected'), detailOf(3, 'Waiting')] }),
      2: saying(2, [1], { details: [detailOf(1, 'Connected'), detailOf(3, 'Waiting')] }),
      3: saying(3, [], { problem }),
    });
    expect(problems).toEqual([`node3: ${problem}`]);
    expect(fields.down?.map(({ lookAt }) => lookAt)).toEqual([`node3: ${problem}`, `node3: ${problem}`]);
  });

  test('between two that both reach others, it is the way', () => {
    const { fields } = plan(mesh, {
      1: saying(1, [3], { details: [detailOf(2, 'Down'), detailOf(3, 'Connected')] }),
      2: saying(2, [3], { details: [detailOf(1, 'Connected'), detailOf(3, 'Connected')] }),
      3: saying(3, [1, 2]),
    });
    expect([fields.connected, fields.down?.map(({ lookAt }) => lookAt)]).toEqual([
      '1/3',
      ['the way between node1 and node2: whether UDP gets to 192.0.2.1:51820 and to 192.0.2.2:51820'],
    ]);
  });

  test('two behind NAT without a relay have no way', () => {
    const hidden = { spec: { mesh: { behindNAT: true } } };
    const { fields, isDown } = plan(meshWith([]), {
      1: { ...saying(1, []), ...hidden },
      2: { ...saying(2, []), ...hidden },
    });
    expect(isDown).toBe(true);
    expect(fields.down).toEqual([
      { a: 'node1', b: 'node2', lookAt: expect.stringContaining('both are behind NAT') },
    ]);
  });

  test('ages alone are written every ten minutes', () => {
    const nodes = { 1: saying(1, [2, 3]), 2: saying(2, [1, 3]), 3: saying(3, [1, 2]) };
    const { fields } = plan(mesh, nodes);
    const older = fields.pairs!.map((pair) => ({ ...pair, receivedBytes: 1 }));
    const at = (pairsAt: string, pairs = older) =>
      plan({ ...mesh, status: { ...mesh.status, pairs, pairsAt } }, nodes).fields.pairs;
    expect(at('2026-11-21T11:50:01Z')).toEqual(older);
    expect(at('2026-11-21T11:50:00Z')).toEqual(fields.pairs);
    expect(
      at(
        '2026-11-21T11:59:59Z',
        older.map((pair) => ({ ...pair, state: 'Down' as const })),
      ),
    ).toEqual(fields.pairs);
  });
});

describe('nodes', () => {
  test('what a host says now is its key; while it says nothing, what it said before', () => {
    const mesh = meshWith([meshNodeOf(1), meshNodeOf(2)]);
    const { fields, keyless } = plan(mesh, { 1: {}, 2: saying(2, [], { keys: [] }) });
    expect(fields.nodes?.map(({ keys }) => keys.length)).toEqual([1, 0]);
    expect(keyless).toEqual(['node2']);
  });

  test.each([
    [{ mesh: { endpoint: 'a.example.com:4500' } }, 'a.example.com:4500'],
    [
      {
        ssh: {
          host: '2001:db8::1',
          keyRef: { name: 'k' },
          hostKeys: ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI'],
        },
      },
      '[2001:db8::1]:51820',
    ],
    [
      {
        ssh: {
          host: 'a.example.com',
          keyRef: { name: 'k' },
          hostKeys: ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI'],
        },
        addresses: ['192.0.2.77'],
      },
      '192.0.2.77:51820',
    ],
    [{ mesh: { behindNAT: true, endpoint: 'a.example.com:4500' } }, undefined],
  ])('%j is dialled at %s', (spec, endpoint) => {
    const [node] = plan(fresh(), { 1: { spec } }).fields.nodes!;
    expect(node?.endpoint).toBe(endpoint);
    expect(node?.behindNAT).toBe(endpoint === undefined ? true : undefined);
  });

  test('a copy of a disk does not get the key of the original', () => {
    const mesh = meshWith([meshNodeOf(2)]);
    const copy = [{ epoch: 1, publicKey: publicKeyOf('node2/1') }];
    const { fields, conflicts } = plan(mesh, { 1: saying(1, [2], { keys: copy }), 2: saying(2, [1]) });
    expect(fields.nodes?.map(({ keys }) => keys.length)).toEqual([0, 1]);
    expect(conflicts).toEqual([
      { reason: 'MeshKeyNotUnique', message: expect.stringContaining('node1 has the same key as node2') },
    ]);
  });
});
