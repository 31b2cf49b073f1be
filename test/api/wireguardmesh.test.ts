/** What a WireguardMesh lives through, against a real API server. */
import { runFirnCli } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';
import { expectHonestStatus } from '../support/honest-status.ts';
import { publicKeyOf } from '../support/mesh.ts';
import { type MeshPlay, meshIn, saidBy, startMeshPlay } from '../support/meshes.ts';
import { clusterIn, nodeIn } from '../support/nixclusters.ts';
import type { Fields } from '../support/play.ts';

const namespace = 'demo';
const names = ['node1', 'node2', 'node3'];
const meshed = { meshRef: { name: 'demo' } };
let play: MeshPlay;

beforeAll(async () => {
  play = await startMeshPlay(namespace);
}, 120_000);

afterAll(async () => {
  await play?.stop();
});

const allSay = async (epochs: readonly number[], active?: number, shaken = true): Promise<void> => {
  for (const name of names) {
    const peers = shaken ? names.filter((other) => other !== name) : [];
    await play.hostSays(name, saidBy(name, { epochs, peers, ...(active !== undefined && { active }) }));
  }
};
const hostsAreReached = async () => {
  for (const name of names) await play.hostSays(name, {});
};
const secretOf = async () =>
  JSON.parse(await play.kubectl(['get', 'secret', 'demo-mesh', '-n', namespace, '-o', 'json'])) as {
    metadata: { uid: string; ownerReferences?: unknown };
    data: { seed: string };
  };
const rotation = (request: string): Fields => ({ keyRotation: { request } });

test('a mesh that no cluster names waits', async () => {
  await play.apply(meshIn(namespace));
  expectHonestStatus(await play.when('Planned', 'False', 'MeshUnused'));
});

test('without nodes, or with hosts that were not asked, nothing is decided', async () => {
  await play.apply(clusterIn(namespace, meshed));
  expectHonestStatus(await play.when('Planned', 'False', 'MeshEmpty'));
  await play.apply(
    ...names.map((name) => nodeIn(namespace, name, { ssh: ssh(name), index: Number(name.slice(4)) })),
  );
  const { status } = await play.when('Planned', 'False', 'MeshMembersUnobserved');
  expect(status).not.toHaveProperty('epoch');
});

test('then it has a secret of its own, and asks for keys', async () => {
  await hostsAreReached();
  const { status } = await play.when('Keyed', 'False', 'KeysMissing');
  expect(status).toMatchObject({ epoch: 1, size: 3, connected: '0/3' });
  const { metadata, data } = await secretOf();
  expect(metadata.ownerReferences).toBeUndefined();
  expect(Buffer.from(data.seed, 'base64')).toHaveLength(32);
  const named = await eventually(async () => {
    const mesh = await play.get();
    expect(mesh.status.secretName).toBe('demo-mesh');
    return mesh;
  });
  expect(JSON.stringify(named)).not.toContain(data.seed);
});

test('keys of one host are published for the others, and pairs connect', async () => {
  await allSay([1], 1, false);
  await play.when('Connected', 'False', 'PairsConnecting');
  await allSay([1], 1);
  const mesh = await play.when('Ready', 'True');
  expectHonestStatus(mesh);
  expect(mesh.status).toMatchObject({ connected: '3/3', summary: 'Connected', down: [] });
  expect(mesh.status.nodes?.[0]).toEqual({
    name: 'node1',
    endpoint: '192.0.2.31:51820',
    addresses: ['fd88:1::1', '10.88.1.1'],
    allowedIPs: ['fd88:1::/32', '10.88.1.0/24'],
    keys: [{ epoch: 1, publicKey: publicKeyOf('node1/1') }],
  });
  const shown = await play.kubectl(['get', 'wireguardmeshes', '-n', namespace]);
  expect(shown.split('\n').map((line) => line.trim().split(/ {2,}/).slice(0, 5))).toEqual([
    ['NAME', 'NODES', 'CONNECTED', 'READY', 'STATUS'],
    ['demo', '3', '3/3', 'True', 'Connected'],
    [''],
  ]);
});

test('keys are rotated, stage by stage, and the mesh stays ready', async () => {
  await play.apply(meshIn(namespace, rotation('first')));
  // New tunnels settle for a quarter of a minute.
  const stage = (wanted: string) =>
    eventually(async () => {
      const mesh = await play.get();
      expect(mesh.status.rotation).toMatchObject({ stage: wanted, epoch: 2 });
      expect(mesh.status.conditions?.find(({ type }) => type === 'Ready')?.status).toBe('True');
      return mesh.status;
    }, 30_000);
  expect((await stage('Prepare')).summary).toBe('Rotating');
  await play.hostSays('node1', saidBy('node1', { epochs: [1, 2], active: 1, peers: ['node2', 'node3'] }));
  await eventually(async () =>
    expect((await play.get()).status.rotation?.waitsFor).toContain('node2 has no key of epoch 2 yet'),
  );
  await allSay([1, 2], 1);
  expect((await stage('Move')).epoch).toBe(1);
  await allSay([1, 2], 2);
  expect((await stage('Retire')).epoch).toBe(2);
  await allSay([2], 2);
  const done = await eventually(async () => {
    const mesh = await play.get();
    expect(mesh.status).not.toHaveProperty('rotation');
    return mesh;
  });
  expect(done.status).toMatchObject({ epoch: 2, request: 'first', connected: '3/3', summary: 'Connected' });
  expectHonestStatus(done);
});

test('made anew from Git, it goes on with the keys that hosts have, and with its secret', async () => {
  const { metadata } = await secretOf();
  await play.kubectl(['delete', 'wireguardmesh', 'demo', '-n', namespace]);
  await play.apply(meshIn(namespace, rotation('first')));
  const mesh = await play.when('Ready', 'True');
  expect(mesh.status).toMatchObject({
    epoch: 2,
    request: 'first',
    connected: '3/3',
    secretName: 'demo-mesh',
  });
  expect(mesh.status).not.toHaveProperty('rotation');
  expect((await secretOf()).metadata.uid).toBe(metadata.uid);
});

test('a secret that is gone is not replaced', async () => {
  const before = await secretOf();
  await play.kubectl(['delete', 'secret', 'demo-mesh', '-n', namespace]);
  expectHonestStatus(await play.when('Stalled', 'True', 'MeshSecretMissing'));
  const given = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'demo-mesh', namespace } };
  await play.apply({ ...given, data: { seed: Buffer.from('short').toString('base64') } });
  await play.when('Stalled', 'True', 'MeshSecretUnusable');
  await play.apply({ ...given, data: before.data });
  await play.when('Ready', 'True');
});

test('an external peer that would take addresses of pods is left out, with words', async () => {
  const laptop = { name: 'laptop', publicKey: publicKeyOf('laptop'), allowedIPs: ['10.88.2.0/24'] };
  await play.apply(meshIn(namespace, { ...rotation('first'), externalPeers: [laptop] }));
  const mesh = await play.when('Stalled', 'True', 'ExternalPeerOverlaps');
  expect(mesh.status.connected).toBe('3/3');
  expectHonestStatus(mesh);
  await play.apply(
    meshIn(namespace, { ...rotation('first'), externalPeers: [{ ...laptop, allowedIPs: ['fd89::10/128'] }] }),
  );
  await play.when('Ready', 'True');
});

test('the command prints pairs, and the other side of an external peer', async () => {
  const firn = (...words: string[]) =>
    runFirnCli(['mesh', ...words, '--kubeconfig', play.kubeconfig, '-n', namespace]);
  const status = await firn('status');
  expect(status).toMatchObject({ code: 0, err: '' });
  expect(status.out).toMatch(/^demo\/demo: Connected, 3\/3 nodes connected, keys of epoch 2\n/);
  expect(status.out).toMatch(/^ {2}node1 node2 +Connected +\S+ ago +10 B +20 B$/m);
  const config = await firn('config', 'laptop');
  expect(config).toMatchObject({ code: 0, err: '' });
  expect(config.out).toContain(`PublicKey = ${publicKeyOf('node3/2')}\nEndpoint = 192.0.2.33:51821\n`);
  expect((await firn('status', 'other')).err).toContain('there is no WireguardMesh other in namespace demo');
  expect((await firn('config', 'phone')).err).toContain('there is no external peer phone; there are laptop');
});

test('a mesh for two clusters is refused', async () => {
  const other = clusterIn(namespace, meshed);
  await play.apply({ ...other, metadata: { name: 'other', namespace } });
  expectHonestStatus(await play.when('Stalled', 'True', 'MeshShared'));
  await play.kubectl(['delete', 'nixcluster', 'other', '-n', namespace]);
  await play.when('Ready', 'True');
});

test('a host that does not get through is named', async () => {
  const down = saidBy('node1', { epochs: [2], active: 2, peers: ['node2', 'node3'] });
  const details = down.mesh.details.map((one) => (one.name === 'node3' ? { ...one, state: 'Down' } : one));
  await play.hostSays('node1', { mesh: { ...down.mesh, details } });
  const { status } = await play.when('Connected', 'False', 'PairsDown');
  expect(status).toMatchObject({ connected: '1/3', down: [{ a: 'node1', b: 'node3' }] });
});

function ssh(name: string): Fields {
  const hostKeys = ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFBvcnRhYmxlS2V5Rm9yVGVzdHNPbmx5AAAAAA'];
  return { host: `192.0.2.3${name.slice(4)}`, keyRef: { name: 'deploy-key' }, hostKeys };
}
