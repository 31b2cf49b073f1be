import type { Logger } from 'pino';
import type { KubeObject, ResourceKind } from '../../../crds/resource.ts';
import type { Clock } from '../core/clock.ts';
import type { Holds, KubeClient } from '../kube/client.ts';
import { Cache, type CacheOptions } from './cache.ts';
import type { Controller } from './controller.ts';
import { Recorder } from './events.ts';
import { type HealthServer, serveHealth } from './health.ts';
import { Leader, type LeaseTimes } from './leader.ts';
import type { Metrics } from './metrics.ts';
import { type Caches, kindId, strictReader } from './reader.ts';
import { Runner } from './runner.ts';
import { aborted, deadline, sleep } from './sleep.ts';

export type OperatorOptions = {
  client: KubeClient;
  controllers: readonly Controller[];
  /** Absent: all. */
  namespaces?: readonly string[] | undefined;
  /** Absent: this process is alone and always leads. */
  leaderElection?: { namespace: string; name: string; times?: LeaseTimes } | undefined;
  /** Where `/healthz`, `/readyz` and `/metrics` are served; absent: nowhere. */
  health?: { host: string; port: number } | undefined;
  /** Of this process, e.g. `<pod>_<random>`. */
  identity: string;
  /** Reconciles at once, for each controller. */
  workers: number;
  /** How long a stop may take; milliseconds. */
  stopMs?: number;
  clock: Clock;
  /** In [0, 1). */
  random: () => number;
  log: Logger;
  metrics: Metrics;
  /** Aborts to stop the operator gracefully. */
  signal: AbortSignal;
  /** Tells what has been reached, for whoever starts us (and for tests). */
  onPhase?: (phase: { name: 'serving'; port: number } | { name: 'synced' | 'leading' | 'stopping' }) => void;
};

const defaultStopMs = 20_000;
const syncPollMs = 20;

/**
 * Runs controllers until `signal` aborts, then resolves. Throws `LeadershipLost`, upon which the process must
 * exit. All caches follow the cluster while another replica leads, so that a change of leader is quick.
 */
export async function runOperator(options: OperatorOptions): Promise<void> {
  const { client, clock, log, signal } = options;
  const ended = new AbortController();
  const caches = makeCaches(options, ended.signal);
  const recorder = new Recorder({ client, clock, log, identity: options.identity, signal: ended.signal });
  const health = await startHealth(options, [...caches.values()]);
  const following = Promise.all(Array.from(caches.values(), (cache) => cache.run()));
  try {
    await synced([...caches.values()], clock, signal);
    if (!signal.aborted) options.onPhase?.({ name: 'synced' });
    await lead(options, caches, recorder);
    await within(clock, 2_000, recorder.flush());
  } finally {
    ended.abort();
    await following;
    await health?.close();
    log.info('stopped');
  }
}

/** Holds the lease, if there is one, around the work of the controllers. */
async function lead(
  options: OperatorOptions,
  caches: ReadonlyMap<string, Cache>,
  recorder: Recorder,
): Promise<void> {
  const { client, clock, random, log, identity, leaderElection, signal, metrics } = options;
  if (!leaderElection) return work(options, caches, recorder, never);
  const leader = new Leader({ client, clock, random, log, identity, ...leaderElection });
  metrics.leading(leaderElection.name, 0);
  await leader.acquire(signal);
  if (signal.aborted) return;
  log.info({ lease: leaderElection.name }, 'leading');
  metrics.leading(leaderElection.name, 1);
  const resigned = new AbortController();
  const lost = new AbortController();
  const holding = leader.hold(resigned.signal).catch((error) => {
    lost.abort(error);
    throw error;
  });
  // The failure is taken up below; until then it must not count as unhandled.
  holding.catch(() => undefined);
  try {
    await work(options, caches, recorder, lost.signal);
  } finally {
    resigned.abort();
    metrics.leading(leaderElection.name, 0);
  }
  await holding;
  await leader
    .release(AbortSignal.timeout(3_000))
    .catch((err) => log.warn({ err }, 'the lease was not released'));
}

/** Ends when `signal` aborts and workers are done, or when time is up, or at once when leadership is lost. */
async function work(
  options: OperatorOptions,
  caches: ReadonlyMap<string, Cache>,
  recorder: Recorder,
  lost: AbortSignal,
): Promise<void> {
  const { clock, log, signal } = options;
  if (signal.aborted) return;
  const stopped = new AbortController();
  const killed = new AbortController();
  const runners = options.controllers.map((controller) => {
    const own = cachesOf(controller, caches);
    return new Runner(controller, {
      ...options,
      caches: own,
      read: strictReader(own),
      recorder,
      log: log.child({ controller: controller.name }),
      stopped: stopped.signal,
      killed: killed.signal,
    });
  });
  options.onPhase?.({ name: 'leading' });
  const running = Promise.all(runners.map((runner) => runner.run()));
  await Promise.race([running, aborted(signal), aborted(lost)]);
  options.onPhase?.({ name: 'stopping' });
  stopped.abort();
  if (lost.aborted) killed.abort();
  // Abort is a request: what does not listen to it is left behind, and the process ends without it.
  if (!(await within(clock, lost.aborted ? 1_000 : (options.stopMs ?? defaultStopMs), running))) {
    log.error('not all reconciles ended in time');
  }
  killed.abort();
}

const never = new AbortController().signal;

function makeCaches(options: OperatorOptions, signal: AbortSignal): Map<string, Cache> {
  const cacheOptions: CacheOptions = { ...options, signal };
  const caches = new Map<string, Cache>();
  for (const { kind, holds } of options.controllers.flatMap(readsOf)) {
    const id = cacheId(kind, holds);
    if (!caches.has(id)) caches.set(id, new Cache(kind, holds, cacheOptions));
  }
  const sizes = () => Array.from(caches, ([id, cache]): [string, number] => [id, cache.store.size]);
  options.metrics.sampled('firn_cache_objects', 'Objects in the cache', 'cache', sizes);
  return caches;
}

type Read = { kind: ResourceKind<KubeObject>; holds: Holds };

const readsOf = (controller: Controller): Read[] => [
  { kind: controller.primary, holds: 'objects' },
  ...controller.inputs,
];

const cacheId = (kind: ResourceKind<KubeObject>, holds: Holds) => `${kindId(kind)}/${holds}`;

const cachesOf = (controller: Controller, caches: ReadonlyMap<string, Cache>): Caches =>
  new Map(readsOf(controller).map(({ kind, holds }) => [kindId(kind), caches.get(cacheId(kind, holds))!]));

async function startHealth(options: OperatorOptions, caches: Cache[]): Promise<HealthServer | undefined> {
  if (!options.health) return undefined;
  const unready = () =>
    caches.filter((cache) => !cache.synced).map((cache) => `${cache.kind.plural}: not listed yet`);
  const server = await serveHealth({ ...options.health, registry: options.metrics.registry, unready });
  options.onPhase?.({ name: 'serving', port: server.port });
  return server;
}

async function synced(caches: Cache[], clock: Clock, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && !caches.every((cache) => cache.synced)) await sleep(clock, syncPollMs, signal);
}

/** Whether `work` ended within `ms`. */
async function within(clock: Clock, ms: number, work: Promise<unknown>): Promise<boolean> {
  const limit = deadline(clock, ms, never);
  const done = await Promise.race([work.then(() => true), aborted(limit.signal).then(() => false)]);
  limit.release();
  return done;
}
