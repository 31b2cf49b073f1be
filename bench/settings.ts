import { parseArgs } from 'node:util';
import type { CertificateSettings } from './certificates/run.ts';
import type { LatencySettings } from './latency/run.ts';
import type { MemorySettings } from './memory/run.ts';
import type { MeshSettings } from './mesh/run.ts';
import type { RuntimeSettings } from './runtime/run.ts';

export const benches = ['runtime', 'latency', 'memory', 'mesh', 'certificates'] as const;
export type Bench = (typeof benches)[number];

export type Asked = {
  benches: readonly Bench[];
  runtime: RuntimeSettings;
  latency: LatencySettings;
  memory: MemorySettings;
  mesh: MeshSettings;
  certificates: CertificateSettings;
  /** Absent: no profiles. */
  profile: string | undefined;
};

export const help = `npm run bench [-- [runtime] [latency] [memory] [mesh] [certificates] [options]]

Measures, prints tables, writes bench/results/*.json and fills bench/README.md in from them. All of them
take about 5 minutes.

  runtime   the runtime alone against a Go operator that does the same: objects a second, CPU per object
  latency   from a change of a NixNode to the first command on its host, with 1 and with 1,000 idle nodes
  memory    what the operator holds as its fleet grows
  mesh      what a node that joins a mesh costs the others, as the mesh grows
  certificates  leaf certificates a second, against OpenSSL and cfssl
  readme    fills bench/README.md in from the results that are there

  --full            the numbers of bench/README.md: more objects and samples, 10,000 nodes; 20 minutes
  --objects=3000    objects to reconcile               --workers=16      reconciles at once
  --rounds=2        turns of each contestant
  --samples=200     changes that are timed             --idle=1,1000     NixNodes meanwhile
  --kubectl=20      changes by kubectl that are timed
  --fleet=3000      NixNodes whose memory is taken; 1000,3000 as they grow
  --mesh=10,50,100,250,500,1000   sizes of the mesh
  --certificates=10,100,1000   certificates that are made in one go
  --profile=FOLDER  CPU profiles of the operators (Node's --cpu-prof)
`;

const short = { objects: 3000, rounds: 2, samples: 200, kubectl: 20, fleet: '3000' };
const full = { objects: 5000, rounds: 3, samples: 500, kubectl: 50, fleet: '1000,3000,10000' };

/** Throws an `Error` in words for whoever typed the arguments. `help`, `readme`: nothing is to be measured. */
export function settingsOf(args: readonly string[]): Asked | 'help' | 'readme' {
  const option = { type: 'string' } as const;
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      help: { type: 'boolean', short: 'h' },
      full: { type: 'boolean' },
      objects: option,
      workers: { ...option, default: '16' },
      rounds: option,
      samples: option,
      kubectl: option,
      idle: { ...option, default: '1,1000' },
      fleet: option,
      mesh: { ...option, default: '10,50,100,250,500,1000' },
      certificates: { ...option, default: '10,100,1000' },
      profile: option,
    },
  });
  if (values.help) return 'help';
  if (positionals.includes('readme')) return 'readme';
  const chosen = { ...(values.full ? full : short), ...values };
  const unknown = positionals.find((name) => !benches.some((bench) => bench === name));
  if (unknown !== undefined) throw new Error(`there is no bench ${unknown}; --help says which there are`);
  return {
    benches: positionals.length === 0 ? benches : benches.filter((bench) => positionals.includes(bench)),
    runtime: {
      objects: count('objects', chosen.objects),
      workers: count('workers', values.workers),
      rounds: count('rounds', chosen.rounds),
    },
    latency: {
      nodes: counts('idle', values.idle),
      samples: count('samples', chosen.samples),
      kubectlSamples: count('kubectl', chosen.kubectl),
    },
    memory: { nodes: counts('fleet', chosen.fleet) },
    mesh: { nodes: counts('mesh', values.mesh) },
    certificates: { counts: counts('certificates', values.certificates) },
    profile: values.profile,
  };
}

function count(name: string, text: string | number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} takes a number, not ${text}`);
  return value;
}

const counts = (name: string, text: string): number[] =>
  text
    .split(',')
    .map((one) => count(name, one))
    .sort((a, b) => a - b);
