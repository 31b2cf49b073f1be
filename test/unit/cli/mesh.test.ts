import { describeMesh } from '../../../cli/describe-mesh.ts';
import { meshConfig, meshWithPeer } from '../../../cli/mesh-config.ts';
import { peersFile } from '../../../controllers/wireguardmesh/peers.ts';
import { runFirnCli } from '../../support/cli.ts';
import { clusterOf, meshNodeOf, meshWith, publicKeyOf } from '../../support/mesh.ts';

const now = Date.parse('2026-11-21T12:00:00Z');
const plain = { style: (_style: unknown, text: string) => text };
const laptop = { name: 'laptop', publicKey: publicKeyOf('laptop'), allowedIPs: ['fd89::10/128'] };
const nat = { behindNAT: true } as const;
const cluster = clusterOf([1, 2]);

describe('config', () => {
  test('a laptop dials what can be dialled, and reaches the rest through it', () => {
    const mesh = meshWith([meshNodeOf(1), meshNodeOf(2, nat)], {
      spec: { externalPeers: [laptop], mtu: 1400 },
    });
    expect(meshConfig(mesh, cluster, 'laptop')).toEqual({
      notes: [],
      text: `# laptop in WireguardMesh demo/demo, for wg-quick(8); keys of epoch 1.

[Interface]
# The private key of ${laptop.publicKey}:
# PrivateKey = 
Address = fd89::10/128
MTU = 1400

[Peer]
# node1, which relays to node2
PublicKey = ${publicKeyOf('node1/1')}
Endpoint = 192.0.2.1:51820
AllowedIPs = fd88:1::/32, 10.88.1.0/24, fd88:2::/32, 10.88.2.0/24
PersistentKeepalive = 25`,
    });
  });

  test('both sides agree on the relay, so that what one sends the other takes', () => {
    const nodes = [meshNodeOf(1), meshNodeOf(2), meshNodeOf(3, nat), meshNodeOf(4, nat), meshNodeOf(5, nat)];
    const mesh = meshWith(nodes, { spec: { externalPeers: [laptop] } });
    const { text } = meshConfig(mesh, clusterOf([1, 2, 3, 4, 5]), 'laptop');
    const sections = text.split('[Peer]').slice(1);
    for (const hidden of [3, 4, 5]) {
      const section = sections.find((one) => one.includes(`10.88.${hidden}.0/24`))!;
      const { peers } = peersFile(mesh, cluster, `node${hidden}`)!.epochs[0]!;
      const relay = peers.find(({ allowedIPs }) => allowedIPs.includes('fd89::10/128'))!;
      expect(section).toContain(relay.publicKey);
    }
  });

  test('an office that listens is dialled by all', () => {
    const office = {
      name: 'office',
      publicKey: publicKeyOf('office'),
      allowedIPs: ['192.168.7.0/24'],
      endpoint: { host: 'office.example.com', port: 4500 },
    };
    const mesh = meshWith([meshNodeOf(1), meshNodeOf(2, nat)], { spec: { externalPeers: [office] } });
    const { text } = meshConfig(mesh, cluster, 'office');
    expect(text).toContain('ListenPort = 4500\n');
    expect(text).toContain('# Address = one of 192.168.7.0/24\n');
    expect(text.match(/^\[Peer\]$/gm)).toHaveLength(2);
    expect(text.match(/^Endpoint/gm)).toHaveLength(1);
  });

  test('while keys move, it has those that nodes send with, and says so', () => {
    const both = { epochs: [1, 2] };
    const rotation = { stage: 'Move', epoch: 2, startedAt: '2026-11-21T11:00:00Z' } as const;
    const mesh = meshWith([meshNodeOf(1, both), meshNodeOf(2)], {
      spec: { externalPeers: [laptop] },
      status: { rotation },
    });
    const { text, notes } = meshConfig(mesh, cluster, 'laptop');
    expect(text).toContain(`PublicKey = ${publicKeyOf('node1/2')}\nEndpoint = 192.0.2.1:51821\n`);
    expect(notes).toEqual([
      'keys are being rotated: print this once more when that is done',
      'node2 has no key yet and is left out',
    ]);
  });

  test('a peer that is left out gets the reason instead', () => {
    const mesh = meshWith([meshNodeOf(1)], {
      spec: { externalPeers: [{ ...laptop, allowedIPs: ['10.88.1.1/32'] }] },
    });
    expect(() => meshConfig(mesh, cluster, 'laptop')).toThrow('10.88.1.1/32 overlaps network.pods');
  });

  test('the mesh is found by its peer', () => {
    const [one, two] = [meshWith([], { spec: { externalPeers: [laptop] } }), meshWith([])];
    expect(meshWithPeer([two, one], 'laptop')).toBe(one);
    expect(() => meshWithPeer([one, two], 'phone')).toThrow(
      'there is no external peer phone; there are laptop',
    );
    expect(() => meshWithPeer([one, one], 'laptop')).toThrow('choose one with --mesh');
  });
});

describe('status', () => {
  test('tells of keys, rotation, pairs and what to look at', () => {
    const mesh = meshWith([], {
      status: {
        summary: 'PairsDown',
        connected: '1/3',
        pairsAt: '2026-11-21T11:58:00Z',
        rotation: {
          stage: 'Prepare',
          epoch: 2,
          startedAt: '2026-11-21T11:00:00Z',
          waitsFor: 'node3 has no key of epoch 2 yet',
        },
        conditions: [
          {
            type: 'Ready',
            status: 'False',
            reason: 'PairsDown',
            message: 'one is down',
            lastTransitionTime: '2026-11-21T11:00:00Z',
          },
        ],
        pairs: [
          {
            a: 'node1',
            b: 'node3',
            state: 'Down',
            lastHandshake: '2026-11-21T10:00:00Z',
            receivedBytes: 1023,
            sentBytes: 2048,
          },
          { a: 'node1', b: 'node2', state: 'Waiting', receivedBytes: 0, sentBytes: 0 },
        ],
        down: [{ a: 'node1', b: 'node3', lookAt: 'a \u001b[31mcolour' }],
      },
    });
    expect(describeMesh(mesh, now, plain)).toBe(`demo/demo: PairsDown, 1/3 nodes connected, keys of epoch 1
  one is down
  Rotation to keys of epoch 2: Prepare
  Waits: node3 has no key of epoch 2 yet
  As of 2m ago, the worst first:
  PAIR          STATE     HANDSHAKE   RECEIVED   SENT
  node1 node3   Down      2h ago      1023 B     2.0 KiB
  node1 node2   Waiting   never       0 B        0 B
  node1 node3: look at a \ufffd[31mcolour`);
  });

  test('of a mesh of which nothing is known', () => {
    const mesh = { ...meshWith([]), status: undefined };
    expect(describeMesh(mesh, now, plain)).toBe('demo/demo: nothing is known yet');
  });
});

test.each([
  [['mesh'], 'mesh needs ACTION'],
  [['mesh', 'confg'], 'did you mean config?'],
  [['mesh', 'config'], 'mesh config needs NAME of an external peer'],
  [['mesh', 'status', '--mesh', 'a'], '--mesh is for mesh config'],
])('%j is called wrongly', async (words, message) => {
  const { code, err } = await runFirnCli(words);
  expect(code).toBe(2);
  expect(err).toContain(message);
});
