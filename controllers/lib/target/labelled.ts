/** Objects of target clusters that bear a label, whose value names the primary that they are about. */
import type { Logger } from 'pino';
import type { KubeObject } from '../../../crds/resource.ts';
import type { Clock } from '../core/clock.ts';
import type { Kind, KubeClient } from '../kube/client.ts';
import type { ServedKind } from '../kube/served-kinds.ts';
import { Cache } from '../runtime/cache.ts';
import type { ObjectKey, Source, Woken } from '../runtime/controller.ts';
import { aborted } from '../runtime/sleep.ts';
import { type Entry, keyOf } from '../runtime/store.ts';

export type LabelledOptions = {
  label: string;
  clock: Clock;
  /** In [0, 1). */
  random: () => number;
  log: Logger;
};

/** A primary of the controller, and the cluster that its objects are in. */
export type Concerned = { namespace: string; name: string; cluster: string };

type Watched = { cache: Cache; stop: AbortController; primaries: Set<string> };
type Cluster = { client: KubeClient; kinds: Map<string, Watched> };

/** A watch is a connection to the cluster; beyond so many the others are looked at now and then. */
const maxKinds = 40;
/** Changes come in bursts, and each look at all objects is worth several of them. */
const settleMs = 1_000;

/**
 * Follows them by metadata alone, one watch a kind and cluster however many primaries there are, and wakes a primary when
 * an object of its own changed.
 */
export class Labelled implements Source {
  readonly #options: LabelledOptions;
  readonly #clusters = new Map<string, Cluster>();
  readonly #pending = new Set<string>();
  #wake: (primary: Woken) => void = () => undefined;
  #signal: AbortSignal | undefined;

  constructor(options: LabelledOptions) {
    this.#options = options;
  }

  async run(wake: (primary: Woken) => void, signal: AbortSignal): Promise<void> {
    this.#wake = wake;
    this.#signal = signal;
    await aborted(signal);
    for (const { kinds } of this.#clusters.values()) for (const { stop } of kinds.values()) stop.abort();
    this.#clusters.clear();
  }

  forget(primary: ObjectKey): void {
    this.#leaveAllBut(undefined, keyOf(primary));
  }

  /** These kinds and no others, for this primary. Returns whether all of them are followed. */
  follow({ cluster: id, ...primary }: Concerned, client: KubeClient, kinds: readonly ServedKind[]): boolean {
    if (this.#signal?.aborted) return false;
    const key = keyOf(primary);
    // A namesake may have taken the place of the cluster in which it was before.
    this.#leaveAllBut(id, key);
    const cluster = this.#clusterOf(id, client);
    const wanted = new Map(kinds.map((kind) => [idOf(kind), kind]));
    for (const kind of cluster.kinds.keys()) if (!wanted.has(kind)) this.#leave(cluster, kind, key);
    let all = true;
    for (const [kindId, kind] of wanted) {
      const watched = cluster.kinds.get(kindId) ?? this.#begin(cluster, kind, primary.namespace);
      watched?.primaries.add(key);
      all &&= watched !== undefined;
    }
    return all;
  }

  /** The version of an object that was last told; undefined where it is not followed, or not there. */
  versionOf(
    cluster: string,
    kind: ServedKind,
    target: { namespace?: string | undefined; name: string },
  ): string | undefined {
    const store = this.#clusters.get(cluster)?.kinds.get(idOf(kind))?.cache.store;
    const { namespace = '', name } = target;
    return store?.get(keyOf({ namespace, name }))?.raw.metadata.resourceVersion;
  }

  #clusterOf(id: string, client: KubeClient): Cluster {
    const known = this.#clusters.get(id);
    if (known?.client === client) return known;
    for (const { stop } of known?.kinds.values() ?? []) stop.abort();
    const made: Cluster = { client, kinds: new Map() };
    this.#clusters.set(id, made);
    return made;
  }

  #begin(cluster: Cluster, kind: ServedKind, namespace: string): Watched | undefined {
    if (cluster.kinds.size >= maxKinds || !kind.verbs.includes('watch')) return undefined;
    const { label, log, clock, random } = this.#options;
    const stop = new AbortController();
    const options = { client: cluster.client, clock, random, log, signal: stop.signal, labelSelector: label };
    const cache = new Cache(kind, 'metadata', options);
    cache.subscribe(({ before, after }) => {
      const names = new Set([before, after].flatMap((entry) => labelIn(entry, label)));
      for (const name of names) this.#later({ namespace, name });
    });
    // It never gives up and never throws: what goes wrong is in the log, and the next list tells what was missed.
    void cache.run();
    const watched = { cache, stop, primaries: new Set<string>() };
    cluster.kinds.set(idOf(kind), watched);
    return watched;
  }

  #leaveAllBut(kept: string | undefined, primary: string): void {
    for (const [id, cluster] of this.#clusters) {
      if (id === kept) continue;
      for (const kind of cluster.kinds.keys()) this.#leave(cluster, kind, primary);
      if (cluster.kinds.size === 0) this.#clusters.delete(id);
    }
  }

  #leave(cluster: Cluster, kind: string, primary: string): void {
    const watched = cluster.kinds.get(kind);
    watched?.primaries.delete(primary);
    if (watched?.primaries.size !== 0) return;
    watched.stop.abort();
    cluster.kinds.delete(kind);
  }

  #later(primary: Woken): void {
    const key = keyOf(primary);
    if (this.#pending.has(key)) return;
    this.#pending.add(key);
    this.#options.clock.after(settleMs, () => {
      this.#pending.delete(key);
      if (!this.#signal?.aborted) this.#wake(primary);
    });
  }
}

const idOf = ({ group, version, plural }: Kind): string => `${group}/${version}/${plural}`;

const labelIn = (entry: Entry<KubeObject> | undefined, label: string): string[] => {
  const value = entry?.raw.metadata.labels?.[label];
  return value === undefined ? [] : [value];
};
