/** The life of etcd's membership with real members over TLS: join, promotion, lost disks, dead hosts, and from one to several. */
import { EtcdCluster } from '../support/etcd-cluster.ts';

let cluster: EtcdCluster;
const start = async (count: number): Promise<EtcdCluster> => {
  cluster = await EtcdCluster.start(count);
  return cluster;
};
afterAll(() => cluster?.[Symbol.asyncDispose]());

const votes = ({ etcd } = cluster) =>
  (etcd?.members ?? []).filter(({ learner, healthy }) => !learner && healthy).map(({ node }) => node);
const idOf = (name: string): string => cluster.etcd!.members!.find(({ node }) => node === name)!.id;

describe('three members', () => {
  beforeAll(() => start(3));

  test('come up one after the other', async () => {
    const { etcd } = await cluster.healthy();
    expect(votes().sort()).toEqual(['node1', 'node2', 'node3']);
    expect(etcd?.initial).toBeUndefined();
    expect(cluster.events.map((event) => event.split(':')[0])).toEqual([
      ...['Normal EtcdMemberAdded', 'Normal EtcdMemberPromoted'],
      ...['Normal EtcdMemberAdded', 'Normal EtcdMemberPromoted'],
    ]);
    // What hosts read from their disks is what etcd says.
    for (const { name, status } of cluster.hosts)
      expect(status?.etcd).toMatchObject({ hasData: true, clusterID: etcd?.clusterID, memberID: idOf(name) });
    await cluster.host('node1').put('before', 'all of it');
  }, 120_000);

  test('a lost disk is replaced by a member of another identity', async () => {
    const lost = idOf('node2');
    cluster.host('node2').loseData();
    await cluster.until('removed', ({ etcd }) => etcd?.members?.every(({ id }) => id !== lost) === true);
    await cluster.healthy();
    expect(idOf('node2')).not.toBe(lost);
    expect(cluster.events).toContainEqual(
      `Warning EtcdMemberRemoved: removed member ${lost} (node2): its host lost its data`,
    );
    expect(await cluster.host('node2').get('before')).toBe('all of it');
  }, 120_000);

  test('a dead host is waited for, and removed when its NixNode goes', async () => {
    await cluster.host('node3').powerOff();
    const { said } = await cluster.until('degraded', ({ etcd }) => etcd?.state === 'Degraded');
    expect(said).toMatchObject({
      reason: 'EtcdDegraded',
      message: expect.stringContaining('node3 is not healthy'),
    });
    cluster.host('node3').isLeaving = true;
    await cluster.until('removed', ({ etcd }) => etcd?.members?.length === 2);
    expect(votes().sort()).toEqual(['node1', 'node2']);
  }, 120_000);

  test('it comes back as another NixNode, and its old data are put aside', async () => {
    const node3 = cluster.host('node3');
    Object.assign(node3, { isLeaving: false, uid: '99999999-0000-0000-0000-000000000000' });
    node3.powerOn();
    await cluster.healthy();
    expect(votes().sort()).toEqual(['node1', 'node2', 'node3']);
    expect(node3.log).toContain('was removed: its data are in');
  }, 120_000);

  test('without a majority nothing is changed, and all comes back with the hosts', async () => {
    for (const name of ['node2', 'node3']) await cluster.host(name).powerOff();
    cluster.host('node3').isLeaving = true;
    const { said } = await cluster.until('no majority', ({ etcd }) => etcd?.state === 'NoQuorum');
    expect(said?.reason).toBe('EtcdNoQuorum');
    const events = cluster.events.length;
    for (let looks = 0; looks < 3; looks++) await cluster.look();
    expect(cluster.events).toHaveLength(events);
    cluster.host('node3').isLeaving = false;
    for (const name of ['node2', 'node3']) cluster.host(name).powerOn();
    await cluster.healthy();
  }, 120_000);

  test('a majority that is lost for good is given up as the guide says', async () => {
    for (const name of ['node2', 'node3']) await cluster.host(name).powerOff();
    await cluster.until('no majority', ({ etcd }) => etcd?.state === 'NoQuorum');
    cluster.host('node1').forceNewCluster();
    await cluster.until('one member', ({ etcd }) => etcd?.state === 'Degraded' && etcd.members?.length === 1);
    for (const name of ['node2', 'node3']) {
      cluster.host(name).loseData();
      cluster.host(name).powerOn();
    }
    await cluster.healthy();
    expect(votes().sort()).toEqual(['node1', 'node2', 'node3']);
    expect(await cluster.host('node3').get('before')).toBe('all of it');
  }, 120_000);

  test('a status that was lost comes back from etcd', async () => {
    const before = cluster.etcd;
    cluster.etcd = undefined;
    const { etcd } = await cluster.healthy();
    expect(etcd).toEqual(before);
  }, 120_000);
});

describe('from one on unix sockets to three', () => {
  beforeAll(async () => {
    await cluster[Symbol.asyncDispose]();
    await start(3);
  });

  test('the one is alone, and no port leads to it', async () => {
    const others = cluster.hosts.splice(1);
    await cluster.until('alone', ({ etcd }) => etcd?.state === 'Alone');
    expect(cluster.etcd).toMatchObject({ transport: 'Socket', members: [{ node: 'node1', learner: false }] });
    await cluster.host('node1').put('from', 'the socket');
    cluster.hosts.push(...others);
  }, 120_000);

  test('the others join it, and it keeps what it had', async () => {
    const { clusterID } = cluster.etcd!;
    const { etcd } = await cluster.healthy();
    expect(etcd).toMatchObject({ clusterID, transport: 'TLS' });
    expect(etcd?.members?.map(({ peerURL }) => peerURL).sort()).toEqual(
      cluster.hosts.map(({ peerURL }) => peerURL).sort(),
    );
    expect(cluster.events[0]).toMatch(/^Normal EtcdMemberMoved: member .* is reached at https:/);
    for (const { name } of cluster.hosts) expect(await cluster.host(name).get('from')).toBe('the socket');
  }, 120_000);
});

describe('what is lost', () => {
  beforeAll(async () => {
    await cluster[Symbol.asyncDispose]();
    await start(1);
  });

  test('is not begun anew before somebody says so', async () => {
    const remembers = (): boolean => cluster.host('node1').status?.etcd?.started !== undefined;
    await cluster.until('alone', ({ etcd }) => etcd?.state === 'Alone' && remembers());
    const { clusterID } = cluster.etcd!;
    cluster.host('node1').loseData();
    const { said } = await cluster.until('lost', ({ etcd }) => etcd?.state === 'Lost');
    expect(said?.message).toContain(`firn.dev/give-up-etcd=${clusterID}`);
    for (let looks = 0; looks < 5; looks++) await cluster.look();
    expect(cluster.host('node1').status?.etcd?.hasData).toBe(false);
    cluster.annotations = { 'firn.dev/give-up-etcd': clusterID! };
    const { etcd } = await cluster.until('alone', (look) => look.etcd?.state === 'Alone');
    expect(etcd?.clusterID).not.toBe(clusterID);
  }, 120_000);
});
