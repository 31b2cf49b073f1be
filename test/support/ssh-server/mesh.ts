/**
 * The mesh as scripted hosts play it: what the unit of nix/modules makes of `peers.json`, and handshakes as WireGuard has
 * them, between two hosts of this process that have each other's key, agree about a preshared one, and of which one knows
 * where to dial. All of it is settled when somebody looks.
 */
import { generateKeyPairSync } from 'node:crypto';
import { z } from 'zod';
import type { ScriptedDevice, ScriptedMesh, ScriptedPeer } from './mesh-state.ts';
import { type Machine, unixNow } from './state.ts';

/** Who has a key: every scripted host of the process that ever made one, and has it still. */
const underlay = new Map<string, Machine>();

/** After so many seconds WireGuard does a handshake anew. */
const rekeySeconds = 120;

const peersFile = z.object({
  addresses: z.array(z.string()),
  mtu: z.int().nullable().optional(),
  epochs: z.array(
    z.object({
      epoch: z.int().min(1),
      device: z.string().max(15),
      listenPort: z.int(),
      active: z.boolean(),
      peers: z.array(
        z.object({
          name: z.string(),
          publicKey: z.string(),
          endpoint: z.string().nullable().optional(),
          preshared: z.boolean().optional(),
        }),
      ),
    }),
  ),
});

/** What `observe` says under `wireguard`. */
export function observeMesh(machine: Machine): unknown {
  settleMesh(machine);
  const { keys, devices, problem } = machine.state.mesh;
  if (keys.size === 0 && problem === '') return null;
  const now = unixNow(machine.clock);
  return {
    keys: [...keys].map(([epoch, publicKey]) => ({ epoch, publicKey })),
    devices: devices.map(({ since, peers, ...device }) => ({
      ...device,
      peers: [...peers].map(([publicKey, peer]) => {
        shakeHands(machine, device.epoch, publicKey, peer, Math.min(since, now));
        const bytes = peer.lastHandshake === 0 ? 0 : 148 + 32 * (peer.lastHandshake - since);
        return [publicKey, peer.lastHandshake, Math.max(bytes, 0), Math.max(bytes, 0)];
      }),
    })),
    problemB64: Buffer.from(problem).toString('base64'),
  };
}

/** Nobody finds the host by its keys any more, which are gone. */
export function leaveUnderlay({ state }: Machine): void {
  for (const key of state.mesh.keys.values()) underlay.delete(key);
  state.mesh.keys.clear();
}

/** Devices end with the power, keys do not. */
export function losePower({ state }: Machine): void {
  Object.assign(state.mesh, { devices: [], applied: null });
}

/** What the unit does at boot and when `peers.json` changes. */
function settleMesh(machine: Machine): void {
  const { state, clock } = machine;
  const data = state.stored.data.get(state.releases.get(state.current ?? '')?.parts.data ?? '');
  const content = data?.get('peers.json');
  if (content === undefined) {
    if (state.mesh.applied !== null) losePower(machine);
    return;
  }
  // Every peer of every host comes by here: nothing is read again that is the same.
  if (content === state.mesh.applied) return;
  const { epochs, mtu } = peersFile.parse(JSON.parse(Buffer.from(content).toString('utf8')));
  keepKeys(
    machine,
    epochs.map(({ epoch }) => epoch),
  );
  const before = new Map(state.mesh.devices.map((device) => [device.epoch, device]));
  state.mesh.devices = epochs.map(({ epoch, device, listenPort, active, peers }): ScriptedDevice => {
    const old = before.get(epoch);
    return {
      ...{ epoch, device, listenPort, active, mtu: mtu ?? 1420 },
      since: old?.since ?? unixNow(clock),
      peers: new Map(
        peers.map(({ name, publicKey, endpoint, preshared }) => [
          publicKey,
          {
            name,
            lastHandshake: old?.peers.get(publicKey)?.lastHandshake ?? 0,
            isDialled: typeof endpoint === 'string',
            isPreshared: preshared === true,
          },
        ]),
      ),
    };
  });
  state.mesh.applied = content;
}

/** A key for each epoch that is listed; those below all of them go. */
function keepKeys(machine: Machine, epochs: readonly number[]): void {
  const { keys } = machine.state.mesh;
  for (const epoch of epochs) {
    if (keys.has(epoch)) continue;
    const publicKey = newPublicKey();
    keys.set(epoch, publicKey);
    underlay.set(publicKey, machine);
  }
  const smallest = Math.min(...epochs);
  for (const [epoch, publicKey] of keys) {
    if (epoch >= smallest) continue;
    keys.delete(epoch);
    underlay.delete(publicKey);
  }
}

/** The private half is of no use to anyone here. RFC 8410: the last 32 bytes of the encoding are the key. */
const newPublicKey = (): string =>
  generateKeyPairSync('x25519')
    .publicKey.export({ format: 'der', type: 'spki' })
    .subarray(-32)
    .toString('base64');

function shakeHands(
  machine: Machine,
  epoch: number,
  publicKey: string,
  peer: ScriptedPeer,
  since: number,
): void {
  if (!isUp(machine, epoch, publicKey, peer)) return;
  const now = unixNow(machine.clock);
  peer.lastHandshake = Math.max(now - ((now - since) % rekeySeconds), peer.lastHandshake);
}

function isUp(machine: Machine, epoch: number, publicKey: string, peer: ScriptedPeer): boolean {
  const { mesh } = machine.state;
  if (mesh.down.has(peer.name) || !machine.isReachable()) return false;
  const other = underlay.get(publicKey);
  if (other === undefined) return mesh.answering.has(publicKey);
  settleMesh(other);
  const back = entryOf(other.state.mesh, publicKey, mesh.keys.get(epoch));
  return (
    back !== undefined &&
    other.isReachable() &&
    !other.state.mesh.down.has(back.name) &&
    back.isPreshared === peer.isPreshared &&
    (back.isDialled || peer.isDialled)
  );
}

/** What a host says of the peer with a key, on the device whose own key is the other one. */
function entryOf(
  { keys, devices }: ScriptedMesh,
  own: string,
  theirs: string | undefined,
): ScriptedPeer | undefined {
  const device = devices.find(({ epoch }) => keys.get(epoch) === own);
  return theirs === undefined ? undefined : device?.peers.get(theirs);
}
