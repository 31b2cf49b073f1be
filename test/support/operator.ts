import { Writable } from 'node:stream';
import { systemClock } from '../../controllers/lib/core/clock.ts';
import { KubeClient } from '../../controllers/lib/kube/client.ts';
import { kubeConfigFrom } from '../../controllers/lib/kube/config.ts';
import type { Controller } from '../../controllers/lib/runtime/controller.ts';
import { createLogger } from '../../controllers/lib/runtime/log.ts';
import { type OperatorOptions, runOperator } from '../../controllers/lib/runtime/manager.ts';
import { Metrics } from '../../controllers/lib/runtime/metrics.ts';
import { guardText } from './secrets/registry.ts';

export type TestOperator = {
  client: KubeClient;
  metrics: Metrics;
  /** Lines of JSON, as they were written. */
  log: string[];
  /** Names of the phases reached. */
  phases: string[];
  healthPort: () => number;
  /** How `runOperator` ended: undefined, or what it threw. */
  ended: Promise<unknown>;
  stop(): Promise<unknown>;
};

/** The operator's runtime in this process, against any cluster. */
export function startOperator(
  kubeconfig: string,
  controllers: readonly Controller[],
  options: Partial<OperatorOptions> = {},
): TestOperator {
  const clock = options.clock ?? systemClock;
  const client = options.client ?? new KubeClient(kubeConfigFrom(kubeconfig), clock);
  const stopping = new AbortController();
  const metrics = new Metrics({ process: 'left out' });
  const log: string[] = [];
  const phases: string[] = [];
  const searched = guardText("the operator's log", () => log.join('\n'));
  let port = 0;
  const ended = runOperator({
    client,
    controllers,
    identity: 'test',
    workers: 4,
    clock,
    random: Math.random,
    log: createLogger({ level: 'debug', destination: lines(log) }),
    metrics,
    signal: stopping.signal,
    onPhase: (phase) => {
      phases.push(phase.name);
      if (phase.name === 'serving') port = phase.port;
    },
    ...options,
  })
    .then(
      () => undefined,
      (error: unknown) => error,
    )
    .finally(() => client.close())
    .finally(searched);
  const stop = () => {
    stopping.abort();
    return ended;
  };
  return { client, metrics, log, phases, healthPort: () => port, ended, stop };
}

const lines = (into: string[]) =>
  new Writable({
    write(chunk, _encoding, done) {
      into.push(...String(chunk).trimEnd().split('\n'));
      done();
    },
  });
