/** Who reaches whom: directly where one of the two can be dialled, else through a node that both can dial. */
import type { MeshNode, WireguardMesh } from '../../crds/index.ts';

type Party = { readonly name: string; readonly endpoint?: unknown; readonly behindNAT?: boolean | undefined };

/** Whether others can open a way to it. */
export const canBeDialled = (party: Party): boolean =>
  party.endpoint !== undefined && party.behindNAT !== true;

/** WireGuard needs one side that can be dialled; keepalives hold the way back open. */
export const meetDirectly = (a: Party, b: Party): boolean => canBeDialled(a) || canBeDialled(b);

/**
 * Nodes that relay: those that can be dialled and have a key of the epoch that all have. During a rotation it is the
 * same relay on both devices, or what a pair sends on one would be refused on the other.
 */
export const relaysOf = ({ status }: WireguardMesh): MeshNode[] =>
  (status?.nodes ?? []).filter(
    (node) => canBeDialled(node) && node.keys.some(({ epoch }) => epoch === status?.epoch),
  );

/**
 * The relay of a pair, the same for both; undefined where there is none. By rendezvous hashing (Thaler and Ravishankar,
 * 1998): a node that joins or leaves changes the relay of those pairs alone that it serves.
 */
export function relayFor(
  a: string,
  b: string,
  relays: readonly { readonly name: string }[],
): string | undefined {
  const pair = hash(a < b ? `${a} ${b}` : `${b} ${a}`);
  let best: { name: string; weight: number } | undefined;
  for (const { name } of relays) {
    const weight = mix(pair ^ hash(name));
    if (best === undefined || weight > best.weight || (weight === best.weight && name < best.name)) {
      best = { name, weight };
    }
  }
  return best?.name;
}

/** FNV-1a, of 32 bits. Nothing secret hangs on it: it only has to spread, and to be the same everywhere. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  return value;
}

/** The finalizer of MurmurHash3: every bit of the input matters to every bit of the result. */
function mix(value: number): number {
  let mixed = value;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
