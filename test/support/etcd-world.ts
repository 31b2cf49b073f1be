/**
 * etcd as a model: members, hosts with disks, and what each side sees of the other, late. The rules are etcd's own
 * (server/etcdserver: strict reconfiguration, one learner at a time) and those of nix/modules/kubernetes/etcd.sh. The operator
 * is the real plan. What must never be is thrown as soon as it is.
 */
import {
  type EtcdAnswer,
  type EtcdFacts,
  type EtcdNode,
  whomToAsk,
} from '../../controllers/nixcluster/etcd/facts.ts';
import { type Decision, decide, type EtcdAction } from '../../controllers/nixcluster/etcd/plan.ts';
import type { ClusterEtcd, EtcdInitial } from '../../crds/index.ts';

type Data = { cluster: string; member: string };
type Entry = { id: string; name: string; url: string; learner: boolean };
type Seen = EtcdNode['seen'];

export class Host {
  readonly name: string;
  data: Data | null = null;
  started: string | undefined;
  transport: 'Socket' | 'TLS' = 'Socket';
  wantedTransport: 'Socket' | 'TLS' = 'Socket';
  file: EtcdInitial | null = null;
  up = true;
  running = false;
  /** As nixnode mirrored it. */
  seen: Seen;
  isReachable = true;
  stage: EtcdNode['stage'] = 'wanted';

  constructor(name: string) {
    this.name = name;
  }

  get url(): string {
    return `https://${this.name}:2380`;
  }
}

export class EtcdWorld {
  readonly hosts: Host[];
  /** By cluster ID. */
  readonly lists = new Map<string, Entry[]>();
  status: ClusterEtcd | undefined;
  accepted: EtcdFacts['accepted'] = { removal: undefined, loss: undefined };
  /** Members that ever began on an empty disk. */
  readonly born = new Set<string>();
  /** Whether faults alone, and not the operator, have taken the majority, or data. */
  isBroken = false;
  #ids = 0;

  constructor(names: readonly string[]) {
    this.hosts = names.map((name) => new Host(name));
  }

  host(name: string): Host {
    return this.hosts.find((one) => one.name === name)!;
  }

  // --- etcd ---

  #runs = (entry: Entry, cluster: string): Host | undefined =>
    this.hosts.find(
      ({ up, running, data }) => up && running && data?.cluster === cluster && data.member === entry.id,
    );

  voters = (cluster: string): Entry[] => this.lists.get(cluster)!.filter(({ learner }) => !learner);

  hasQuorum(cluster: string): boolean {
    const voters = this.voters(cluster);
    return voters.filter((entry) => this.#runs(entry, cluster)).length > voters.length / 2;
  }

  #answer(host: Host): EtcdAnswer {
    const { data } = host;
    if (!host.up || !host.running || !data || host.transport === 'Socket')
      return { silent: 'connection refused' };
    const entry = this.lists.get(data.cluster)?.find(({ id }) => id === data.member);
    if (!entry) return { silent: 'it was removed' };
    const hasLeader = this.hasQuorum(data.cluster);
    return { id: entry.id, clusterID: data.cluster, learner: entry.learner, hasLeader, problems: [] };
  }

  // --- the operator ---

  facts(answers: ReadonlyMap<string, EtcdAnswer>): EtcdFacts {
    const nodes = this.hosts.map((host): EtcdNode => {
      const { name, url, stage, isReachable, seen } = host;
      return {
        name,
        uid: `uid-of-${name}`,
        peerURL: url,
        stage,
        isReachable,
        seen,
      };
    });
    return { nodes, answers, list: null, before: this.status, accepted: this.accepted };
  }

  visit(): Decision {
    const decision = this.#visit();
    this.#publish();
    return decision;
  }

  #visit(): Decision {
    const answers = new Map(
      this.hosts
        .filter(({ isReachable }) => isReachable)
        .map((host) => [host.name, this.#answer(host)] as const),
    );
    const asked = this.facts(answers);
    const from = whomToAsk(asked);
    const cluster = from === undefined ? undefined : this.host(from).data!.cluster;
    const list =
      cluster !== undefined && this.hasQuorum(cluster)
        ? this.lists.get(cluster)!.map(({ url, ...entry }) => ({ ...entry, peerURLs: [url] }))
        : null;
    const decision = decide({ ...asked, list });
    this.status = decision.etcd;
    if (decision.action && cluster !== undefined) this.#take(decision.action, cluster);
    return decision;
  }

  #take(action: EtcdAction, cluster: string): void {
    const before = this.hasQuorum(cluster);
    if (!before) throw new Error(`${action.do} without a majority`);
    const list = this.lists.get(cluster)!;
    const entry = 'id' in action ? list.find(({ id }) => id === action.id) : undefined;
    if (action.do === 'add') {
      if (list.some(({ learner }) => learner)) throw new Error('a second learner');
      if (list.some(({ url }) => url === action.peerURL)) throw new Error('two members at one address');
      this.#ids += 1;
      list.push({ id: `a${this.#ids}`, name: '', url: action.peerURL, learner: true });
    } else if (!entry) return;
    else if (action.do === 'update') entry.url = action.peerURL;
    else if (action.do === 'promote') {
      if (!entry.learner) throw new Error('promotes a voter');
      if (this.#runs(entry, cluster)) entry.learner = false;
    } else this.#remove(action, entry, list, cluster);
    if (!this.hasQuorum(cluster)) throw new Error(`no majority after ${JSON.stringify(action)}`);
  }

  #remove(action: Extract<EtcdAction, { do: 'remove' }>, entry: Entry, list: Entry[], cluster: string): void {
    const host = action.unlessOn === undefined ? undefined : this.host(action.unlessOn);
    if (host && !host.up) return;
    if (host?.data?.member === entry.id) return;
    if (!entry.learner && this.voters(cluster).length === 1) throw new Error('removes the only voter');
    // A member that hears that it was removed ends.
    const own = this.#runs(entry, cluster);
    if (own) own.running = false;
    list.splice(list.indexOf(entry), 1);
  }

  // --- hosts ---

  /** nixnode: what the host has goes into the NixNode, and what was decided goes to the host. */
  sync(name: string): void {
    const host = this.host(name);
    host.isReachable = host.up;
    if (!host.up) return;
    const { data, started } = host;
    host.seen = {
      hasData: data !== null,
      ...(data && { clusterID: data.cluster, memberID: data.member }),
      ...(started !== undefined && { started }),
      transport: host.transport,
    };
    const initial = this.status?.initial;
    host.file = initial?.for.includes(name) ? initial : null;
    host.wantedTransport = this.status?.transport ?? 'Socket';
  }

  /** The unit: nix/modules/kubernetes/etcd.sh, and what etcd does at its start. */
  start(name: string): void {
    const host = this.host(name);
    if (!host.up || (host.running && host.transport === host.wantedTransport)) return;
    host.running = false;
    host.transport = host.wantedTransport;
    const { file } = host;
    if (host.data && file?.replaces === host.data.member) host.data = null;
    if (!host.data && !this.#join(host, file)) return;
    const { cluster, member } = host.data!;
    const entry = this.lists.get(cluster)?.find(({ id }) => id === member);
    // The member has been permanently removed from the cluster.
    if (!entry) return;
    host.running = true;
  }

  /** A member says its name once it runs and there is a majority to agree. */
  #publish(): void {
    for (const [cluster, list] of this.lists) {
      if (!this.hasQuorum(cluster)) continue;
      for (const entry of list) {
        const host = this.#runs(entry, cluster);
        if (host) entry.name = `${host.name}-00000000`;
      }
    }
  }

  #join(host: Host, file: EtcdInitial | null): boolean {
    if (!file || file.start === host.started) return false;
    if (file.state === 'new') {
      if (this.lists.size > 0 && ![...this.lists.keys()].includes(this.accepted.loss ?? ''))
        throw new Error(`${host.name} begins a second cluster`);
      const id = `c${this.lists.size + 1}`;
      this.#ids += 1;
      const member = `b${this.#ids}`;
      this.lists.set(id, [{ id: member, name: '', url: file.members[0]!.url, learner: false }]);
      host.data = { cluster: id, member };
    } else {
      const found = this.#clusterOf(file);
      if (!found) return false;
      if (this.born.has(file.start)) throw new Error(`${file.start} is born twice`);
      host.data = { cluster: found, member: file.start };
    }
    this.born.add(host.data.member);
    host.started = file.start;
    return true;
  }

  /** etcd compares the addresses with those that the others have (ValidateClusterAndAssignIDs). */
  #clusterOf({ members, start }: EtcdInitial): string | undefined {
    const asked = members.map(({ url }) => url).sort();
    return [...this.lists.keys()].find((cluster) => {
      const list = this.lists.get(cluster)!;
      const same = JSON.stringify(list.map(({ url }) => url).sort()) === JSON.stringify(asked);
      // Nobody reaches another host's socket.
      return (
        same &&
        asked.every((url) => url.startsWith('https:')) &&
        this.hasQuorum(cluster) &&
        list.some(({ id }) => id === start)
      );
    });
  }

  // --- faults ---

  fail(name: string, how: 'down' | 'stop' | 'disk'): void {
    const host = this.host(name);
    if (how === 'down') host.up = false;
    host.running = false;
    if (how === 'disk') host.data = null;
    for (const cluster of this.lists.keys()) if (!this.canRecover(cluster)) this.isBroken = true;
  }

  /** Whether a majority of voters still has its data. */
  canRecover(cluster: string): boolean {
    const voters = this.voters(cluster);
    const kept = voters.filter(({ id }) => this.hosts.some(({ data }) => data?.member === id));
    return kept.length > voters.length / 2;
  }

  /** The cluster's object was made anew. */
  forget(): void {
    this.status = undefined;
  }

  /** All objects were: nobody has been looked at yet. */
  forgetAll(): void {
    this.forget();
    for (const host of this.hosts) host.seen = undefined;
  }

  recover(name: string): void {
    this.host(name).up = true;
  }
}
