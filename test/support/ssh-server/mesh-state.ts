/** A peer of a device, as the host that has it sees it. */
export type ScriptedPeer = {
  name: string;
  /** Unix seconds; 0: never. */
  lastHandshake: number;
  /** Whether the file names a place to dial. */
  isDialled: boolean;
  isPreshared: boolean;
};

export type ScriptedDevice = {
  epoch: number;
  device: string;
  listenPort: number;
  mtu: number;
  active: boolean;
  /** Unix seconds. */
  since: number;
  /** By public key, as in `peers.json`. */
  peers: Map<string, ScriptedPeer>;
};

/** What a host has of a mesh. Tests may set `down`, `answering` and `problem`. */
export type ScriptedMesh = {
  /** Public keys by epoch; they outlive a boot, and nothing but a reset or `peers.json` takes them away. */
  keys: Map<number, string>;
  devices: ScriptedDevice[];
  /** The `peers.json` that the devices were made from, itself and not a copy; null after a boot. */
  applied: string | Uint8Array | null;
  /** Names of nodes that cannot be reached from here, nor reach this host. */
  down: Set<string>;
  /** Public keys of peers that are no scripted hosts, and answer all the same. */
  answering: Set<string>;
  /** What the unit complains about; empty where it does not. */
  problem: string;
};

export const freshMesh = (): ScriptedMesh => ({
  keys: new Map(),
  devices: [],
  applied: null,
  down: new Set(),
  answering: new Set(),
  problem: '',
});
