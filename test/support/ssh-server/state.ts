import { randomUUID } from 'node:crypto';
import type { Clock } from '../../../controllers/lib/core/clock.ts';
import type {
  Observation,
  PartName,
  Parts,
  TrialReason,
  TrialState,
} from '../../../controllers/lib/host/protocol.ts';
import type { Tree } from '../../../controllers/lib/nix/tree.ts';
import type { Faults } from './faults.ts';
import { freshMesh, type ScriptedMesh } from './mesh-state.ts';
import type { Witness } from './witness.ts';

/** How long things take on a scripted host, in milliseconds of its clock. */
export type Durations = {
  build: number;
  resolve: number;
  activate: number;
  revert: number;
  confirm: number;
  boot: number;
};

export const defaultDurations: Durations = {
  build: 50,
  resolve: 20,
  activate: 50,
  revert: 50,
  confirm: 10,
  boot: 200,
};

export type Job = {
  state: 'Running' | 'Succeeded' | 'Failed';
  startedAt: number;
  message: string;
  subject: string;
  extra: string;
};

export type Trial = {
  id: string;
  attempt: number;
  state: TrialState;
  kind: 'live' | 'reboot';
  reason: TrialReason | null;
  message: string;
  deadline: number | null;
  failedUnits: string[];
  confirmSeconds: number;
  /** What ran before; null is release 0. */
  from: string | null;
};

export type Bad = { part: PartName; hash: string; reason: string; message: string; at: number };

export type Release = {
  parts: Parts;
  /** What it was staged with; JSON text. */
  manifest: string;
  system: string | null;
  stagedAt: number;
  wasConfirmed: boolean;
};

/** What one host knows and is, as far as the protocol shows it. Tests may read it, and change it to set a scene. */
export type HostState = {
  hostname: string;
  bootId: string;
  owner: { installation: string; fence: number; owner: string; uid: string } | null;
  release0: { running: string; booted: string; profile: string } | null;
  running: { system: string; booted: string; profile: string; generation: number };
  /** `stagedAt`, in milliseconds, and what was ever confirmed decide what `prune` keeps. */
  releases: Map<string, Release>;
  /** Files by part and hash; of secrets with every file in it, wherever it was taken from. */
  stored: Record<PartName, Map<string, Tree>>;
  current: string | null;
  confirmed: string | null;
  mesh: ScriptedMesh;
  /** Data and what is remembered of them, as files say it. */
  etcd: Observation['etcd'];
  /** Behind each frontend that it serves. */
  pods: { servers: number; up: number };
  trial: Trial | null;
  bad: Bad[];
  build: Job | null;
  resolve: (Job & { refresh: string }) | null;
  reset: Job | null;
  bootedOther: boolean;
  secretsLost: boolean;
  failedUnits: string[];
  disk: Observation['disk'];
  facts: { system: string; nixVersion: string; nixosVersion: string; cpus: number; memoryBytes: number };
  /** Programs in /var/lib/firn/bin, by hash. */
  programs: Set<string>;
  /** Builds that were run, and switches: what a data-only release must not raise. */
  counts: {
    builds: number;
    switches: number;
    boots: number;
    /** Times that it went down, in whatever way. */
    downs: number;
  };
};

/** What the subcommands work with. */
export type Machine = {
  readonly state: HostState;
  readonly clock: Clock;
  readonly durations: Durations;
  readonly faults: Faults;
  readonly witness: Witness;
  /** Calls back after so many milliseconds, unless the host restarts or is closed before. */
  later(ms: number, callback: () => void): () => void;
  /** Whether anyone can connect. */
  network(up: 'up' | 'down'): void;
  isReachable(): boolean;
  reboot(): void;
};

/** Of a host that never was a control plane. */
export const noDatastore: Observation['etcd'] = {
  hasData: false,
  hasSQLite: false,
  clusterID: null,
  memberID: null,
  started: null,
  transport: null,
};

const storePath = (digits: string): string =>
  `/nix/store/${digits.padEnd(32, '0').slice(0, 32)}-nixos-system`;
export const systemPath = (hash: string): string => storePath(hash);

export function freshState(hostname: string): HostState {
  const first = storePath('0');
  return {
    hostname,
    bootId: randomUUID(),
    owner: null,
    release0: null,
    running: { system: first, booted: first, profile: first, generation: 1 },
    releases: new Map(),
    stored: { system: new Map(), data: new Map(), secrets: new Map() },
    current: null,
    confirmed: null,
    mesh: freshMesh(),
    etcd: noDatastore,
    pods: { servers: 2, up: 2 },
    trial: null,
    bad: [],
    build: null,
    resolve: null,
    reset: null,
    bootedOther: false,
    secretsLost: false,
    failedUnits: [],
    disk: [
      { path: '/nix', freeBytes: 50e9, freeInodes: 1e6 },
      { path: '/var', freeBytes: 50e9, freeInodes: 1e6 },
    ],
    facts: {
      system: 'x86_64-linux',
      nixVersion: '2.31.2',
      nixosVersion: '26.05',
      cpus: 2,
      memoryBytes: 2 ** 31,
    },
    programs: new Set(),
    counts: { builds: 0, switches: 0, boots: 1, downs: 0 },
  };
}

export const unixNow = (clock: Clock): number => Math.floor(clock.now() / 1000);
