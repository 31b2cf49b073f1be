import type { Logger } from 'pino';
import type { Clock } from '../core/clock.ts';
import { backoff } from '../core/outcome.ts';
import type { Holds, Kind, KubeClient, RawObject } from '../kube/client.ts';
import { isGone, KubeError } from '../kube/kube-error.ts';
import { deadline, sleep } from './sleep.ts';
import { isNewer } from './version.ts';
import { MalformedLine, type WatchEvent, watchEvents } from './watch-lines.ts';

/**
 * `Empty`: nothing is known yet. `Listed`: the store holds a list, and what happened since is not being
 * told. `Watching`: the store follows. Only the first list leaves `Empty`; nothing leads back to it.
 */
export type WatcherState = 'Empty' | 'Listed' | 'Watching';

export type WatcherOptions = {
  client: KubeClient;
  kind: Kind;
  holds: Holds;
  namespace: string | undefined;
  /** Absent: all objects. */
  labelSelector?: string;
  clock: Clock;
  /** In [0, 1). */
  random: () => number;
  log: Logger;
  /** A whole list, to replace what was known; `lost`: the server's versions are behind what it once told us. */
  onList: (items: RawObject[], history: 'goes on' | 'lost') => void;
  onEvent: (event: Exclude<WatchEvent, { type: 'ERROR' | 'BOOKMARK' }>) => void;
  /** Told when it changes whether what is known is kept up to date. */
  onHealth?: (health: 'follows' | 'interrupted') => void;
  /** For tests that cannot wait five minutes. */
  timeoutSeconds?: number;
};

/** Objects a page: small enough for a slow line's deadline, large enough for 10,000 objects in 20 requests. */
const pageSize = 500;
/** The server ends a watch after about this long; so a connection that died is noticed soon after it. */
const defaultTimeoutSeconds = 290;
/** What the client waits beyond the server's own timeout before it calls the connection dead. */
const graceMs = 10_000;
const maxBackoffMs = 30_000;
/** A watch that tells nothing and ends sooner than this has failed, whatever its HTTP status was. */
const shortWatchMs = 1_000;

/** Lists, then watches from there, and never gives up: every error ends in another attempt. */
export class Watcher {
  readonly #options: WatcherOptions;
  readonly #log: Logger;
  #state: WatcherState = 'Empty';
  /** Where the next watch starts; undefined: a list comes first. */
  #resourceVersion: string | undefined;
  /** The latest version that was ever told. */
  #newest = '0';
  #failures = 0;
  #health: 'follows' | 'interrupted' | undefined;

  constructor(options: WatcherOptions) {
    this.#options = options;
    this.#log = options.log.child({
      kind: options.kind.kind,
      ...(options.namespace ? { namespace: options.namespace } : {}),
    });
  }

  get state(): WatcherState {
    return this.#state;
  }

  /** Ends only with `signal`. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        if (this.#resourceVersion === undefined) await this.#list(signal);
        await this.#watch(signal);
      } catch (error) {
        if (signal.aborted) return;
        await this.#recover(error, signal);
      }
    }
  }

  async #list(signal: AbortSignal): Promise<void> {
    const items: RawObject[] = [];
    let resourceVersion = '';
    let next = '';
    do {
      const page = await this.#page(next, signal);
      items.push(...page.items);
      // All pages are of the moment of the first; its version is where the watch goes on.
      resourceVersion ||= page.resourceVersion;
      next = page.continue;
    } while (next !== '');
    this.#options.onList(items, isNewer(this.#newest, resourceVersion) ? 'lost' : 'goes on');
    this.#resourceVersion = this.#newest = resourceVersion;
    if (this.#state === 'Empty') this.#state = 'Listed';
    this.#log.debug({ objects: items.length, resourceVersion }, 'listed');
  }

  #page(next: string, signal: AbortSignal) {
    const { client, kind, holds, namespace, labelSelector } = this.#options;
    const options = { namespace, holds, labelSelector, limit: pageSize, continue: next, signal };
    return client.list(kind, options);
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { client, kind, holds, namespace, labelSelector, clock, random } = this.#options;
    const timeoutSeconds =
      this.#options.timeoutSeconds ?? Math.round(defaultTimeoutSeconds * (0.95 + 0.1 * random()));
    const limit = deadline(clock, timeoutSeconds * 1000 + graceMs, signal);
    const startedAt = clock.now();
    let told = false;
    try {
      const options = {
        namespace,
        holds,
        labelSelector,
        timeoutSeconds,
        resourceVersion: this.#resourceVersion!,
        signal: limit.signal,
      };
      const stream = await client.watch(kind, options);
      this.#state = 'Watching';
      this.#be('follows');
      for await (const events of watchEvents(stream)) {
        for (const event of events) this.#take(event);
        told ||= events.length > 0;
        if (told) this.#failures = 0;
      }
    } catch (error) {
      if (limit.signal.aborted && !signal.aborted) throw new KubeError('watch', 0, 'Stalled');
      throw error;
    } finally {
      limit.release();
      this.#state = 'Listed';
    }
    const shortest = Math.min(shortWatchMs, timeoutSeconds * 500);
    if (!told && clock.now() - startedAt < shortest) throw new KubeError('watch', 0, 'EndedAtOnce');
  }

  #take(event: WatchEvent): void {
    if (event.type === 'ERROR') throw new EventError(event.error);
    if (event.type !== 'BOOKMARK') this.#options.onEvent(event as Parameters<WatcherOptions['onEvent']>[0]);
    this.#resourceVersion = this.#newest = event.object.metadata.resourceVersion;
  }

  async #recover(error: unknown, signal: AbortSignal): Promise<void> {
    const relist = this.#resourceVersion === undefined || needsList(error);
    if (relist) this.#resourceVersion = undefined;
    // Being told that our version is too old is no failure of the server: list at once, the first time.
    const patient = !(isGone(rootOf(error)) && this.#failures === 0);
    const wait = patient ? this.#backoffMs(rootOf(error)) : 0;
    if (patient) this.#be('interrupted');
    this.#failures++;
    this.#log.warn(
      { err: rootOf(error), relist, retryMs: Math.round(wait), failures: this.#failures },
      'watch interrupted',
    );
    await sleep(this.#options.clock, wait, signal);
  }

  #be(health: 'follows' | 'interrupted'): void {
    if (this.#health === health) return;
    this.#health = health;
    this.#options.onHealth?.(health);
  }

  #backoffMs(error: unknown): number {
    const wait = Math.min(backoff(this.#failures, this.#options.random()), maxBackoffMs);
    return error instanceof KubeError ? Math.max(wait, error.retryAfterMs ?? 0) : wait;
  }
}

/** An error that came as an event of a watch which had begun well. */
class EventError extends Error {
  constructor(cause: KubeError) {
    super(cause.message, { cause });
  }
}

const rootOf = (error: unknown): unknown => (error instanceof EventError ? error.cause : error);

/** Whether watching again from the same version is pointless or would hide that something was missed. */
function needsList(error: unknown): boolean {
  if (error instanceof EventError || error instanceof MalformedLine) return true;
  if (!(error instanceof KubeError)) return false;
  // Above all 410; 400 and 504 are what servers say to versions they do not know (yet), e.g. after a restored backup.
  return error.status === 504 || (error.status >= 400 && error.status < 500 && error.status !== 429);
}
