/** The way into the clusters that Firn made. Nobody there knows the operator by a key that is kept anywhere. */
import type { Logger } from 'pino';
import type { Clock } from '../core/clock.ts';
import type { Hosts } from '../host/host.ts';
import { KubeClient } from '../kube/client.ts';
import { UnreachableError } from '../kube/kube-error.ts';
import { StreamSessions } from '../kube/stream-session.ts';
import { createLogger } from '../runtime/log.ts';
import type { TargetAccess } from './access.ts';
import { Credentials, founder, operator, type Person } from './credentials.ts';
import { dialFirst } from './dial.ts';
import { type EtcdAccess, type EtcdApi, etcdOn } from './etcd.ts';
import { type FollowedKind, Follower } from './follow.ts';
import { Labelled } from './labelled.ts';
import { WayMemory } from './ways.ts';

export type TargetsOptions = {
  hosts: Hosts;
  clock: Clock;
  /** As many random bytes as asked for: serial numbers of certificates. */
  randomBytes: (count: number) => Uint8Array;
  log?: Logger;
};

export type Targets = {
  /** How soon the API of each cluster (`namespace/name`) answered last, in seconds; of those that do not, nothing. */
  readonly latencies: Map<string, number>;
  /**
   * The cluster's API as `firn:operator` of the group `firn:cluster-admins`. The same client for the same cluster, from now on
   * over the ways and by the authority of this `access`.
   */
  client(access: TargetAccess): KubeClient;
  /** The same as one of `system:masters`, for ten minutes at most and for this work alone. */
  asFounder<T>(access: TargetAccess, work: (client: KubeClient) => Promise<T>): Promise<T>;
  /** The API of the etcd on a control-plane node. Throws `UnreachableError` for one that cannot be logged in to. */
  etcd(access: EtcdAccess, node: string): EtcdApi;
  /** For a controller that is to be woken by what happens in clusters. */
  follower(kinds: readonly FollowedKind[], onForget: (uid: string) => void): Follower;
  /** For a controller that is to be woken by changes of objects that bear a label, whose value is the name of its primary. */
  labelled(label: string): Labelled;
  /** For a cluster that is gone. */
  forget(key: string): Promise<void>;
  /** Breaks off whatever is under way. */
  close(): Promise<void>;
};

const silent = (): Logger => createLogger({ level: 'silent' });

type Kept = { access: TargetAccess; client: KubeClient };

export function createTargets(options: TargetsOptions): Targets {
  const { hosts, clock, randomBytes } = options;
  const kept = new Map<string, Kept>();
  const etcds = new Map<string, Credentials>();
  const latencies = new Map<string, number>();
  return {
    latencies,
    client(access) {
      const known = kept.get(access.key);
      if (known) {
        known.access = access;
        return known.client;
      }
      const made: Kept = { access, client: clientFor(() => made.access, operator, options) };
      kept.set(access.key, made);
      return made.client;
    },
    async asFounder(access, work) {
      options.log?.debug({ cluster: access.cluster }, 'acting as system:masters');
      const client = clientFor(() => access, founder, options);
      try {
        return await work(client);
      } finally {
        await client.close();
      }
    },
    etcd(access, node) {
      const host = access.hosts.find((one) => one.node === node);
      if (!host) throw new UnreachableError(`${node} is no control-plane node that can be logged in to`);
      const credentials = etcds.get(access.key) ?? new Credentials(operator, clock, randomBytes);
      etcds.set(access.key, credentials);
      return etcdOn(host, access, { hosts, clock, credentials });
    },
    follower: (kinds, onForget) =>
      new Follower({
        kinds,
        onForget,
        clock: options.clock,
        random: Math.random,
        log: options.log ?? silent(),
      }),
    labelled: (label) =>
      new Labelled({ label, clock: options.clock, random: Math.random, log: options.log ?? silent() }),
    async forget(key) {
      const known = kept.get(key);
      kept.delete(key);
      if (known) latencies.delete(known.access.cluster);
      etcds.delete(key);
      await known?.client.close();
    },
    async close() {
      const all = [...kept.values()];
      kept.clear();
      await Promise.all(all.map(({ client }) => client.close()));
    },
  };
}

function clientFor(access: () => TargetAccess, person: Person, options: TargetsOptions): KubeClient {
  const { hosts, clock, randomBytes, log } = options;
  const credentials = new Credentials(person, clock, randomBytes);
  const memory = new WayMemory();
  const sessions = new StreamSessions({
    clock,
    identity: () => credentials.identity(access().authority),
    connect: async (identity, signal) => {
      const { ways, cluster } = access();
      const socket = await dialFirst(ways, memory, identity, { hosts, clock, signal });
      log?.debug({ cluster }, 'connected to the cluster');
      return socket;
    },
    onDoubt: () => memory.doubt(),
  });
  return new KubeClient(sessions, clock);
}
