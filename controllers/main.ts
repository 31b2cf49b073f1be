/** Wiring only: from a kubeconfig to controllers at work. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { DestinationStream } from 'pino';
import { loadInstallation } from './installation.ts';
import { systemClock } from './lib/core/clock.ts';
import { createHosts } from './lib/host/hosts.ts';
import { readPrivateKey } from './lib/host/keys.ts';
import { defaultLimits } from './lib/host/limits.ts';
import { programHash, programText } from './lib/host/program.ts';
import { KubeClient } from './lib/kube/client.ts';
import { kubeConfigFrom } from './lib/kube/config.ts';
import { objectsOf } from './lib/kube/objects.ts';
import { readFirnModules } from './lib/nix/modules.ts';
import { createLogger } from './lib/runtime/log.ts';
import { type OperatorOptions, runOperator } from './lib/runtime/manager.ts';
import { Metrics } from './lib/runtime/metrics.ts';
import { createTargets } from './lib/target/targets.ts';
import { controllersWith } from './registry.ts';

export type FirnOptions = {
  /** Absent: as kubectl and pods find it. */
  kubeConfigFile?: string | undefined;
  /** Where the operator keeps its own Secret and Lease. */
  installationNamespace: string;
  /** Empty: all. */
  watchNamespaces: readonly string[];
  /** Off only where nobody else can run on the same cluster. */
  leaderElection: boolean;
  /** Of `/healthz`, `/readyz` and `/metrics`; null: not served. 0 takes a free one. */
  healthPort: number | null;
  healthHost?: string;
  logLevel: string;
  /** Where the log goes, instead of standard output. */
  logTo?: DestinationStream;
  /** Hosts that are being worked on at once. */
  workers?: number;
  signal: AbortSignal;
  onPhase?: OperatorOptions['onPhase'];
};

const workersByDefault = 16;

/** Runs the operator until `signal` aborts. Throws when leadership is lost, upon which the process must exit. */
export async function runFirn(options: FirnOptions): Promise<void> {
  const { installationNamespace: namespace, signal } = options;
  const log = createLogger({
    level: options.logLevel,
    ...(options.logTo && { destination: options.logTo }),
  });
  const client = new KubeClient(kubeConfigFrom(options.kubeConfigFile), systemClock);
  const hosts = createHosts({
    clock: systemClock,
    program: { text: programText, hash: programHash },
    limits: defaultLimits,
    log,
  });
  const targets = createTargets({ hosts, clock: systemClock, randomBytes, log });
  try {
    const services = {
      hosts,
      targets,
      readPrivateKey,
      installation: await loadInstallation(client, namespace, signal),
      randomBytes,
      firnModules: readFirnModules(),
      version: readVersion(),
    };
    const metrics = new Metrics({ process: 'measured' });
    const expiries = new Map<string, number>();
    const expiryWords = 'When the first certificate of a ClusterPKI ends, in seconds since the epoch';
    metrics.sampled('firn_pki_next_expiry_timestamp_seconds', expiryWords, 'pki', () => expiries);
    const latencyWords = 'How soon the API of a NixCluster answered last, in seconds';
    metrics.sampled('firn_cluster_api_latency_seconds', latencyWords, 'cluster', () => targets.latencies);
    await runOperator({
      client,
      controllers: controllersWith(services, (declared) => objectsOf(client, declared), expiries),
      namespaces: options.watchNamespaces.length > 0 ? options.watchNamespaces : undefined,
      leaderElection: options.leaderElection ? { namespace, name: 'firn-operator' } : undefined,
      health:
        options.healthPort === null
          ? undefined
          : { host: options.healthHost ?? '127.0.0.1', port: options.healthPort },
      identity: `${hostname()}_${randomBytes(4).toString('hex')}`,
      workers: options.workers ?? workersByDefault,
      clock: systemClock,
      random: Math.random,
      log,
      metrics,
      signal,
      ...(options.onPhase && { onPhase: options.onPhase }),
    });
  } finally {
    await targets.close();
    await hosts.close();
    await client.close();
  }
}

function readVersion(): string {
  const text = readFileSync(join(import.meta.dirname, '../package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
