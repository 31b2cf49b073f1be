import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** controller-runtime's buckets, so that dashboards made for it fit. */
const reconcileSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];
const queueSeconds = [1e-4, 1e-3, 5e-3, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60, 300, 1000];

export type ReconcileResult = 'success' | 'requeue_after' | 'error';

/** What a queue is asked when metrics are scraped. */
type Measured = { depth: number; running: number; runningMs: Iterable<number> };

/** Metrics of one controller, label filled in. */
export type ControllerMetrics = {
  reconciled(result: ReconcileResult, seconds: number): void;
  terminal(): void;
  added(): void;
  retried(): void;
  taken(waitedSeconds: number): void;
  worked(seconds: number): void;
  workers(count: number): void;
};

/** Names and labels are those of controller-runtime and client-go, as far as what they mean is the same here. */
export class Metrics {
  readonly registry = new Registry();
  readonly #queues = new Map<string, () => Measured>();
  readonly #total = this.#counter('controller_runtime_reconcile_total', 'Reconciles by result', [
    'controller',
    'result',
  ]);
  readonly #errors = this.#counter('controller_runtime_reconcile_errors_total', 'Failed reconciles', [
    'controller',
  ]);
  readonly #terminal = this.#counter(
    'controller_runtime_terminal_reconcile_errors_total',
    'Reconciles that ended stalled',
    ['controller'],
  );
  readonly #seconds = this.#histogram(
    'controller_runtime_reconcile_time_seconds',
    'Length of a reconcile',
    ['controller'],
    reconcileSeconds,
  );
  readonly #maxWorkers = this.#gauge('controller_runtime_max_concurrent_reconciles', 'Workers', [
    'controller',
  ]);
  readonly #adds = this.#counter('workqueue_adds_total', 'Keys added', ['name', 'controller']);
  readonly #retries = this.#counter('workqueue_retries_total', 'Keys added again after a failure', [
    'name',
    'controller',
  ]);
  readonly #waited = this.#histogram(
    'workqueue_queue_duration_seconds',
    'From due to taken',
    ['name', 'controller'],
    queueSeconds,
  );
  readonly #work = this.#histogram(
    'workqueue_work_duration_seconds',
    'From taken to done',
    ['name', 'controller'],
    queueSeconds,
  );
  readonly #leading = this.#gauge('leader_election_master_status', 'Whether this replica leads', ['name']);

  constructor(options: { process: 'measured' | 'left out' }) {
    if (options.process === 'measured') collectDefaultMetrics({ register: this.registry });
    this.#sampled('workqueue_depth', 'Keys that wait for a worker', (queue) => queue.depth);
    this.#sampled('controller_runtime_active_workers', 'Workers at work', (queue) => queue.running);
    this.#sampled('workqueue_unfinished_work_seconds', 'Sum of work under way', (queue) =>
      sum(agesOf(queue)),
    );
    this.#sampled('workqueue_longest_running_processor_seconds', 'Oldest work under way', (queue) =>
      Math.max(0, ...agesOf(queue)),
    );
  }

  controller(name: string, queue: () => Measured): ControllerMetrics {
    this.#queues.set(name, queue);
    const labels = { controller: name };
    const queueLabels = { name, controller: name };
    return {
      reconciled: (result, seconds) => {
        this.#total.inc({ controller: name, result });
        this.#seconds.observe(labels, seconds);
        if (result === 'error') this.#errors.inc(labels);
      },
      terminal: () => this.#terminal.inc(labels),
      added: () => this.#adds.inc(queueLabels),
      retried: () => this.#retries.inc(queueLabels),
      taken: (seconds) => this.#waited.observe(queueLabels, seconds),
      worked: (seconds) => this.#work.observe(queueLabels, seconds),
      workers: (count) => this.#maxWorkers.set(labels, count),
    };
  }

  leading(lease: string, leads: 0 | 1): void {
    this.#leading.set({ name: lease }, leads);
  }

  /** A value that is looked up when scraped, e.g. the size of a cache. */
  sampled(name: string, help: string, label: string, values: () => Iterable<[string, number]>): void {
    const gauge: Gauge = new Gauge({
      name,
      help,
      labelNames: [label],
      registers: [this.registry],
      collect: () => {
        // What is not among the values any more must not go on being told.
        gauge.reset();
        for (const [key, value] of values()) gauge.set({ [label]: key }, value);
      },
    });
  }

  #sampled(name: string, help: string, value: (queue: Measured) => number): void {
    this.sampled(name, help, 'controller', () =>
      Array.from(this.#queues, ([controller, queue]) => [controller, value(queue())]),
    );
  }

  #counter(name: string, help: string, labelNames: string[]): Counter {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }

  #gauge(name: string, help: string, labelNames: string[]): Gauge {
    return new Gauge({ name, help, labelNames, registers: [this.registry] });
  }

  #histogram(name: string, help: string, labelNames: string[], buckets: number[]): Histogram {
    return new Histogram({ name, help, labelNames, buckets, registers: [this.registry] });
  }
}

const agesOf = (queue: Measured): number[] => [...queue.runningMs].map((ms) => ms / 1000);
const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);
