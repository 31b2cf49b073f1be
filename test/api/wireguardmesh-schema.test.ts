/** What of a WireguardMesh the API server takes and refuses, and in which words. */
import { publicKeyOf } from '../support/mesh.ts';
import { type MeshPlay, meshIn, startMeshPlay } from '../support/meshes.ts';
import type { Fields } from '../support/play.ts';

const namespace = 'demo';
let play: MeshPlay;

beforeAll(async () => {
  play = await startMeshPlay(namespace);
  await play.apply(meshIn(namespace));
}, 120_000);

afterAll(async () => {
  await play?.stop();
});

test('a mesh of a thousand nodes fits into an object', async () => {
  const nodes = Array.from({ length: 1000 }, (_, at) => ({
    name: `node-${at + 1}`.padEnd(52, 'x'),
    endpoint: '[2001:db8:1111:2222:3333:4444:5555:6666]:51820',
    addresses: ['2001:db8:1111:2222::1', `10.${at >> 8}.${at & 255}.1`],
    allowedIPs: ['2001:db8:1111:2222::/64', `10.${at >> 8}.${at & 255}.0/24`],
    keys: [1, 2].map((epoch) => ({ epoch, publicKey: publicKeyOf(`${at}/${epoch}`) })),
  }));
  const huge = { ...meshIn(namespace), metadata: { name: 'huge', namespace } };
  await play.apply(huge);
  const manager = ['--field-manager=firn-wireguardmesh', '--force-conflicts', '--subresource=status'];
  await play.kubectl(['apply', '--server-side', '--validate=ignore', ...manager, '-f', '-'], {
    ...huge,
    spec: undefined,
    status: { nodes },
  });
  const read = ['get', 'wgm', 'huge', '-n', namespace, '-o', 'json', '--show-managed-fields'];
  const stored = JSON.parse(await play.kubectl(read)) as { status: { nodes: unknown[] } };
  expect(stored.status.nodes).toHaveLength(1000);
  expect(Buffer.byteLength(JSON.stringify(stored))).toBeLessThan(1_048_576);
});

test.each<[string, Fields, RegExp]>([
  ['another interface', { interface: 'wg9' }, /interface is immutable/],
  ['no preshared keys any more', { presharedKeys: false }, /presharedKeys is immutable/],
  ['a port of Kubernetes', { listenPort: 6442 }, /must leave the ports of Kubernetes alone/],
  ['a node port', { listenPort: 31_000 }, /must leave the ports of Kubernetes alone/],
  [
    'one key for two external peers',
    {
      externalPeers: [1, 2].map((at) => ({
        name: `p${at}`,
        publicKey: publicKeyOf('x'),
        allowedIPs: [`fd89::${at}/128`],
      })),
    },
    /each needs a key of its own/,
  ],
  [
    'what is no key',
    { externalPeers: [{ name: 'p', publicKey: 'A'.repeat(44), allowedIPs: ['fd89::1/128'] }] },
    /must be a public key of WireGuard/,
  ],
])('%s is refused when it is applied', async (_, spec, words) => {
  expect(await play.refusal(['apply', '--server-side', '-f', '-'], meshIn(namespace, spec))).toMatch(words);
});
