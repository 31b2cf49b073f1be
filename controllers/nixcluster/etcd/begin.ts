/** Before there is a cluster of etcd, and while nobody can be asked about it. Pure. */
import type { ClusterEtcd, EtcdInitial } from '../../../crds/index.ts';
import {
  clusterOf,
  type EtcdFacts,
  type EtcdNode,
  identityOf,
  socketURL,
  transportOf,
  wantedOf,
} from './facts.ts';
import { problemOf } from './members.ts';
import type { Decision } from './plan.ts';
import {
  changingTransport,
  conflicting,
  type EtcdTrouble,
  lost,
  noControlPlane,
  noQuorum,
  starting,
  unnumbered,
  unobserved,
} from './words.ts';

/** No cluster is known: one is begun, if it is certain that there is none. */
export function begin(facts: EtcdFacts): Decision {
  const transport = transportOf(facts);
  const absent = (trouble: EtcdTrouble): Decision => stays({ state: 'Absent', transport }, trouble);
  const wanted = wantedOf(facts);
  if (wanted.length === 0) return absent(noControlPlane());
  const unseen = facts.nodes.filter(({ seen }) => seen === undefined).map(({ name }) => name);
  if (unseen.length > 0) return absent(unobserved(unseen));
  const withData = facts.nodes.filter(({ seen }) => seen?.hasData);
  if (withData.length > 0) return absent(conflicting(withData.map(dataOf)));
  const gone = lostOf(facts);
  if (gone !== undefined && !isAccepted(facts, gone)) return stays({ state: 'Lost', transport }, lost(gone));
  const first = firstOf(facts, wanted);
  if (first.peerURL === undefined) return absent(unnumbered(first.name));
  const loss = gone === undefined ? undefined : facts.accepted.loss;
  const initial = initialOf(first, transport === 'TLS' ? first.peerURL : socketURL, loss);
  return stays({ state: 'Starting', transport, initial }, starting(first.name));
}

const dataOf = ({ name, seen }: EtcdNode): string =>
  `${name} has ${seen?.clusterID ?? 'data that do not say'}`;

/** Data were there and are gone: by what was known, or by what a host remembers beside its data. */
const lostOf = ({ before, nodes }: EtcdFacts): string | undefined =>
  before?.clusterID ?? nodes.find(({ seen }) => seen?.started !== undefined)?.seen?.started;

const startAfter = (loss: string): string => `new-after-${loss.slice(-48)}`;

/** Once it was accepted, a host is told, and until it has made data nothing else tells which loss was meant. */
function isAccepted({ nodes, before, accepted: { loss } }: EtcdFacts, gone: string): boolean {
  if (loss === undefined || nodes.some(({ seen }) => seen?.started === startAfter(loss))) return false;
  return loss === gone || before?.initial?.start === startAfter(loss);
}

/** Whoever was told stays the one, even if it leaves: it may have begun. */
function firstOf({ before, nodes }: EtcdFacts, wanted: readonly EtcdNode[]): EtcdNode {
  const told = before?.initial?.state === 'new' ? before.initial.for[0] : undefined;
  return nodes.find(({ name }) => name === told) ?? wanted[0]!;
}

/**
 * By the same word until there are data: a host makes them once by each. etcd makes its IDs of it, so it is a word that no
 * other cluster has.
 */
function initialOf(first: EtcdNode, url: string, loss: string | undefined): EtcdInitial {
  return {
    state: 'new',
    members: [{ name: first.name, url }],
    for: [first.name],
    start: loss === undefined ? `new-${first.uid}` : startAfter(loss),
  };
}

/** The cluster is known, and nobody has told its list of members. */
export function unlisted(facts: EtcdFacts, id: string): Decision {
  const transport = transportOf(facts);
  const { several } = clusterOf(facts);
  const holders = facts.nodes.filter((node) => identityOf(facts, node, id) !== undefined);
  const [holder] = holders;
  const members = facts.before?.members;
  const kept = { transport, clusterID: id, ...(members && { members }) };
  if (!holder) {
    const unseen = facts.nodes.filter(({ seen }) => seen === undefined).map(({ name }) => name);
    if (unseen.length > 0) return stays({ ...kept, state: 'NoQuorum' }, unobserved(unseen));
    if (several.length === 0 && facts.accepted.loss === id) return begin(facts);
    return stays({ ...kept, state: 'Lost' }, lost(id));
  }
  if (transport === 'Socket') return stays(alone(holder, id), null);
  const isMoving = holders.length === 1 && holder.seen?.transport === 'Socket';
  if (isMoving) return stays({ ...alone(holder, id), transport }, changingTransport(holder.name));
  const silent = holders.map((node) => `${node.name}: ${problemOf(facts, node, id) ?? 'not asked'}`);
  const asked = members?.map((member) => ({ ...member, healthy: false }));
  return stays({ ...kept, ...(asked && { members: asked }), state: 'NoQuorum' }, noQuorum(silent));
}

/** On unix sockets, which nobody but its API server reaches: what is known of it is on its host's disk. */
function alone({ name, seen }: EtcdNode, clusterID: string): ClusterEtcd {
  const id = seen?.memberID;
  const member = id !== undefined && { name, node: name, id, learner: false, peerURL: socketURL };
  return { state: 'Alone', transport: 'Socket', clusterID, ...(member && { members: [member] }) };
}

const stays = (etcd: ClusterEtcd, trouble: EtcdTrouble | null): Decision => ({ etcd, action: null, trouble });
