/** The runtime with the peer's controller: what is measured. `node operator.ts KUBECONFIG WORKERS` */
import { systemClock } from '../../controllers/lib/core/clock.ts';
import { KubeClient } from '../../controllers/lib/kube/client.ts';
import { kubeConfigFrom } from '../../controllers/lib/kube/config.ts';
import { defineController } from '../../controllers/lib/runtime/controller.ts';
import { createLogger } from '../../controllers/lib/runtime/log.ts';
import { runOperator } from '../../controllers/lib/runtime/manager.ts';
import { Metrics } from '../../controllers/lib/runtime/metrics.ts';
import { type Probe, ProbeKind } from '../../test/support/probe.ts';

const [kubeconfig, workers] = process.argv.slice(2);

const controller = defineController<Probe>({
  name: 'probe',
  primary: ProbeKind,
  inputs: [],
  conditions: [],
  async reconcile({ spec }, { report }) {
    report({ observedValue: spec.value });
    return { recheckMs: 3_600_000 };
  },
});

const stopping = new AbortController();
process.on('SIGTERM', () => stopping.abort());
const client = new KubeClient(kubeConfigFrom(kubeconfig), systemClock);
await runOperator({
  client,
  controllers: [controller],
  identity: 'bench',
  workers: Number(workers),
  clock: systemClock,
  random: Math.random,
  log: createLogger({ level: 'info' }),
  metrics: new Metrics({ process: 'measured' }),
  signal: stopping.signal,
});
await client.close();
