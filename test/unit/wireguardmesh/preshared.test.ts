import { Sealed } from '../../../controllers/lib/core/sealed.ts';
import { presharedKeysFile } from '../../../controllers/wireguardmesh/preshared.ts';
import { meshNodeOf, meshWith, publicKeyOf } from '../../support/mesh.ts';

const secret = new Sealed(new Uint8Array(32).fill(7));
const nat = { behindNAT: true } as const;

const linesOf = (mesh: ReturnType<typeof meshWith>, self: string, of = secret): string[] =>
  new TextDecoder()
    .decode(presharedKeysFile(mesh, self, of).open())
    .split('\n')
    .slice(0, -1);

test('both sides of a pair derive the same key, and every pair another', () => {
  const mesh = meshWith([meshNodeOf(1), meshNodeOf(2), meshNodeOf(3)]);
  const [one, two] = [linesOf(mesh, 'node1'), linesOf(mesh, 'node2')];
  const keyOf = (lines: string[], peer: string) =>
    lines.find((line) => line.startsWith(publicKeyOf(`${peer}/1`)))?.split(' ')[1];
  expect(keyOf(one, 'node2')).toMatch(/^[A-Za-z0-9+/]{43}=$/);
  expect(keyOf(one, 'node2')).toBe(keyOf(two, 'node1'));
  expect(keyOf(one, 'node3')).not.toBe(keyOf(one, 'node2'));
  expect(one).toEqual([...one].sort());
});

test('a key follows from the secret and from the keys of the pair', () => {
  const mesh = meshWith([meshNodeOf(1), meshNodeOf(2)]);
  expect(linesOf(mesh, 'node1')).toEqual(linesOf(mesh, 'node1', new Sealed(new Uint8Array(32).fill(7))));
  expect(linesOf(mesh, 'node1')).not.toEqual(linesOf(mesh, 'node1', new Sealed(new Uint8Array(32).fill(8))));
});

test('during a rotation there is a line for each of the keys', () => {
  const both = { epochs: [1, 2] };
  const rotation = { stage: 'Prepare', epoch: 2, startedAt: '2026-11-21T12:00:00Z' } as const;
  const mesh = meshWith([meshNodeOf(1, both), meshNodeOf(2, both), meshNodeOf(3)], { status: { rotation } });
  expect(linesOf(mesh, 'node1').map((line) => line.split(' ')[0])).toEqual(
    ['node2/1', 'node2/2', 'node3/1'].map(publicKeyOf).sort(),
  );
});

test('whom a node does not meet, and what is no node, has none', () => {
  const laptop = { name: 'laptop', publicKey: publicKeyOf('laptop'), allowedIPs: ['fd89::10/128'] };
  const mesh = meshWith([meshNodeOf(1), meshNodeOf(2, nat), meshNodeOf(3, nat)], {
    spec: { externalPeers: [laptop] },
  });
  expect(linesOf(mesh, 'node2').map((line) => line.split(' ')[0])).toEqual([publicKeyOf('node1/1')]);
  expect(linesOf(mesh, 'node9')).toEqual([]);
  expect(
    linesOf(meshWith([meshNodeOf(1), meshNodeOf(2)], { spec: { presharedKeys: false } }), 'node1'),
  ).toEqual([]);
});

test('the keys print as sealed', () => {
  expect(`${presharedKeysFile(meshWith([meshNodeOf(1), meshNodeOf(2)]), 'node1', secret)}`).toBe('[sealed]');
});
