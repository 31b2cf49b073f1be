import type { Observation, Parts } from '../../controllers/lib/host/protocol.ts';
import { noDatastore } from './ssh-server/state.ts';

/** A part hash that can be told apart in a failure message: `part('a')`. */
export const part = (letter: string): string => letter.repeat(64).slice(0, 64);

export const parts = (system: string, data = 'd', secrets = 'e'): Parts => ({
  system: part(system),
  data: part(data),
  secrets: part(secrets),
});

const plainSystem = '/nix/store/00000000000000000000000000000000-nixos-system';

/** A healthy host on which nothing of Firn has happened yet; `changes` says what is otherwise. */
export function observation(changes: Partial<Observation> = {}): Observation {
  return {
    ok: true,
    program: part('f'),
    time: 1_000_000,
    bootId: '00000000-0000-0000-0000-000000000000',
    facts: {
      hostnameB64: 'alpha',
      system: 'x86_64-linux',
      kernelB64: '6.18',
      nixVersionB64: '2.26.3',
      nixosVersionB64: '26.05',
      systemdVersion: 257,
      cpus: 2,
      memoryBytes: 1,
      addresses: [],
    },
    disk: [],
    owner: null,
    release0: null,
    running: { system: plainSystem, booted: plainSystem, profile: null, generation: null },
    releases: [],
    stored: { system: [], data: [], secrets: [] },
    current: null,
    confirmed: null,
    manifestB64: '',
    certificates: [],
    wireguard: null,
    etcd: noDatastore,
    frontends: null,
    trial: null,
    bad: [],
    build: null,
    resolve: null,
    reset: null,
    bootedOther: false,
    secretsLost: false,
    failedUnits: [],
    ...changes,
  };
}
