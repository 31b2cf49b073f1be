/** A thousand nodes: the object that holds them must fit into etcd, and planning them into a reconcile. */

import { membersOf } from '../../../controllers/wireguardmesh/members.ts';
import { peersFile } from '../../../controllers/wireguardmesh/peers.ts';
import { planMesh } from '../../../controllers/wireguardmesh/plan.ts';
import type { NixNode } from '../../../crds/index.ts';
import { clusterOf, meshWith, nameOf, nodeOf, publicKeyOf } from '../../support/mesh.ts';

const count = 1000;
const now = Date.parse('2026-11-21T12:00:00Z');
const indexes = Array.from({ length: count }, (_, at) => at + 1);
const cluster = clusterOf(indexes);

const { metadata, ...template } = nodeOf(1);

/** In a rotation, with half of the pairs down. Not parsed: a thousand times that is slower than all that is tested. */
const member = (index: number): NixNode => ({
  ...template,
  metadata: { ...metadata, name: nameOf(index) },
  spec: {
    ...template.spec,
    mesh: { behindNAT: false, endpoint: `[2001:db8:1111:2222:3333:4444:5555:${index.toString(16)}]:51820` },
  },
  status: {
    ...template.status,
    mesh: {
      keys: [1, 2].map((epoch) => ({ epoch, publicKey: publicKeyOf(`${index}/${epoch}`) })),
      active: 1,
      peers: count - 1,
      connected: count / 2,
      details: Array.from({ length: 64 }, (_, at) => ({
        name: nameOf(1 + ((index + at) % count)),
        epoch: 1,
        state: at % 2 ? 'Down' : 'Connected',
        lastHandshake: '2026-11-21T11:59:00Z',
        receivedBytes: 123_456_789_012,
        sentBytes: 123_456_789_012,
      })),
    },
  },
});

const mesh = meshWith([], {
  status: { rotation: { stage: 'Prepare', epoch: 2, startedAt: '2026-11-21T11:59:00Z' } },
});

test('status takes less than a MiB, with what the API server notes of its fields', () => {
  const { fields } = planMesh(mesh, cluster, membersOf(cluster, indexes.map(member)), now);
  expect(fields.nodes).toHaveLength(count);
  expect(fields.pairs).toHaveLength(64);
  expect(fields.down).toHaveLength(32);
  const long = fields.nodes!.map((node) => ({ ...node, name: node.name.padEnd(52, 'x') }));
  // managedFields names each node and each of its fields once more.
  const noted = long.map(
    ({ name }) =>
      `"k:{\\"name\\":\\"${name}\\"}":{".":{},"f:addresses":{},"f:allowedIPs":{},"f:endpoint":{},"f:keys":{},"f:name":{}},`,
  );
  const bytes =
    Buffer.byteLength(JSON.stringify({ ...fields, nodes: long })) + Buffer.byteLength(noted.join(''));
  expect(bytes).toBeLessThan(1_048_576);
});

test('it is planned in seconds, and the file of one node in much less', () => {
  const members = membersOf(cluster, indexes.map(member));
  const start = performance.now();
  const { fields } = planMesh(mesh, cluster, members, now);
  const planned = performance.now();
  const file = peersFile(
    { ...mesh, status: { ...mesh.status, ...fields, rotation: mesh.status?.rotation } },
    cluster,
    'node1',
  );
  const done = performance.now();
  expect(file?.epochs.map(({ peers }) => peers.length)).toEqual([999, 999]);

  expect(planned - start).toBeLessThan(5000);
  expect(done - planned).toBeLessThan(500);
});
