/** Preshared keys of pairs, derived from one secret: both sides get the same, and nothing has to be kept for a pair. */
import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import type { MeshNode, WireguardMesh } from '../../crds/index.ts';
import { Sealed } from '../lib/core/sealed.ts';
import { listedEpochs } from './epochs.ts';
import { keyAt } from './peers.ts';
import { meetDirectly } from './relays.ts';

/** The key of the Secret's data, and how many bytes Firn puts there. Fewer than 32 would be the weakest link. */
export const secretKey = 'seed';
export const secretBytes = 32;

/** Where the host wants the file. */
export const presharedKeysPath = '/etc/firn/mesh-preshared-keys';

/** So that the same secret gives other keys elsewhere (RFC 5869, section 3.2). */
const purpose = 'firn.dev/v1alpha1 WireguardMesh preshared key';

/**
 * One line `<public key> <preshared key>` for each node that `self` meets directly, in each epoch of which both have a
 * key, sorted. External peers have none. Throws `waiting` (`MeshNotPlanned`) while it is not known which keys are in use.
 */
export function presharedKeysFile(
  mesh: WireguardMesh,
  self: string,
  secret: Sealed<Uint8Array>,
): Sealed<Uint8Array> {
  const nodes = mesh.status?.nodes ?? [];
  const node = nodes.find(({ name }) => name === self);
  const listed = listedEpochs(mesh);
  if (node === undefined || !mesh.spec.presharedKeys) return new Sealed(new Uint8Array());
  // Read once: a mesh of a thousand nodes has as many lines in each of its files.
  const key = createSecretKey(secret.open());
  const lines = nodes
    .filter((other) => other !== node && meetDirectly(node, other))
    .flatMap((other) => listed.flatMap(({ epoch }) => lineFor(key, node, other, epoch)));
  return new Sealed(new TextEncoder().encode(lines.sort().join('')));
}

function lineFor(secret: KeyObject, self: MeshNode, other: MeshNode, epoch: number): string[] {
  const [ours, theirs] = [keyAt(self, epoch), keyAt(other, epoch)];
  if (ours === undefined || theirs === undefined) return [];
  return [`${theirs} ${derive(secret, ours, theirs)}\n`];
}

/** HKDF with SHA-256 (RFC 5869): 32 bytes in base64, as wg(8) reads them. */
function derive(secret: KeyObject, ours: string, theirs: string): string {
  const pair = [ours, theirs].sort().map((key) => Buffer.from(key, 'base64'));
  const info = Buffer.concat([Buffer.from(`${purpose}\0`), ...pair]);
  return Buffer.from(hkdfSync('sha256', secret, new Uint8Array(), info, 32)).toString('base64');
}
