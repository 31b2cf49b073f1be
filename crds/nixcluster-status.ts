/** What the nixcluster controller decided. Hosts hold the same: lost, it comes back from what they say. */
import { z } from 'zod';
import { conditions, count, integer, releaseId, timestamp } from './common.ts';
import { etcdId, startWord, transport } from './etcd.ts';
import { componentGroups, componentVersions, kubernetesSource, minor } from './kubernetes-versions.ts';
import { role } from './nixnode-spec.ts';
import { atomicList, mapList, setList } from './rules.ts';

const name = () => z.string().max(253);
const address = () => z.string().max(45);
const cidr = () => z.string().max(49);
const index = () => integer(1, 65_535);

/** The steps of a node that leaves a living cluster, in their order. */
export const departureStages = ['Draining', 'LeavingEtcd', 'NodeDeleted', 'Done'] as const;

const departure = z.object({
  stage: z
    .enum(departureStages)
    .describe(
      '`Draining`: its pods are evicted; `LeavingEtcd`: its member of etcd is removed; `NodeDeleted`: its Node object is deleted; `Done`: the cluster goes on without it.',
    ),
  since: timestamp().describe('When its removal began.'),
  message: z.string().max(4096).optional().describe('What it waits for.'),
  guarded: z
    .boolean()
    .optional()
    .describe('Whether it waits however long that takes: too much would be lost.'),
});

const node = z.object({
  name: name().describe('Name of the NixNode.'),
  uid: z.string().max(64).describe('Its UID, when it was last seen.'),
  index: index().describe('Its number, for good.'),
  roles: setList(role(), 3).optional().describe('What it does, as its NixNode says.'),
  podCIDRs: atomicList(cidr(), 2).describe('Its subnets, in the order of `spec.network.pods`.'),
  addresses: atomicList(address(), 2).describe("The host's address in each of them."),
  underlayAddresses: atomicList(address(), 16).describe(
    'Addresses by which other nodes reach it: `spec.addresses` of the NixNode, or `ssh.host` if the host has it.',
  ),
  kubernetes: componentVersions
    .optional()
    .describe('Which minor version of Kubernetes each component is to have.'),
  granted: releaseId().optional().describe('The release whose system it may activate.'),
  restart: releaseId().optional().describe('The release into which its host may restart.'),
  rollout: z
    .object({
      state: z
        .enum(['Waiting', 'Draining', 'Changing', 'Returning', 'Held'])
        .describe(
          '`Waiting` for its turn; `Draining`: its pods are evicted; `Changing`: its host activates the release; `Returning`: it changed and is awaited; `Held`: it cannot go on.',
        ),
      message: z.string().max(4096).optional().describe('What it waits for.'),
    })
    .optional()
    .describe('How far a change of it is. Absent: there is none.'),
  node: z
    .object({
      ready: z.boolean().describe('Whether its Node object says so.'),
      reason: z.string().max(64).describe('Why, in a word.'),
      message: z.string().max(1024).describe('The same, for people.'),
      version: z.string().max(64).optional().describe('The version of its kubelet.'),
      taints: setList(z.string().max(512), 64)
        .optional()
        .describe('Taints of the Node that are from here, each as `key:effect`.'),
    })
    .optional()
    .describe('Its Node object in the cluster. Absent: it runs no kubelet, or the API was never reached.'),
  departure: departure.optional().describe('How far its removal is.'),
});
export type ClusterNode = z.output<typeof node>;

const retired = z.object({
  index: index().describe('A number that a host may still use.'),
  name: name().describe('The NixNode that had it.'),
  at: timestamp().describe('When it left.'),
});
export type RetiredIndex = z.output<typeof retired>;

const pin = z.object({
  url: z.string().max(2048).describe('The flake reference that was resolved.'),
  refresh: z.string().max(256).optional().describe('`spec.nixpkgs.refresh` at that time.'),
  rev: z.string().max(64).optional().describe('The commit.'),
  narHash: z.string().max(128).describe('The hash of the source.'),
  lastModified: count().optional().describe('Date of the commit, in seconds since the epoch.'),
  locked: z.string().max(8192).describe('What flake.lock says under `locked`, as JSON text.'),
});
export type ClusterPin = z.output<typeof pin>;

const memberName = () => z.string().max(128);
const peerURL = () => z.string().max(256);
const maxMembers = 32;

const etcdInitial = z.object({
  state: z.enum(['new', 'existing']).describe('Whether those who read it begin a cluster, or join one.'),
  members: atomicList(
    z.object({
      name: memberName().describe('Name of the member.'),
      url: peerURL().describe('Where the other members reach it.'),
    }),
    maxMembers,
  ).describe('All members, those who read it included.'),
  for: setList(name(), 1).describe('The NixNode that is told; its host has no data yet.'),
  start: startWord().describe('Names this start. A host never starts a second time by the same word.'),
  replaces: etcdId()
    .optional()
    .describe('ID of a former member that was removed: its data, if the host has them, are put aside.'),
});
export type EtcdInitial = z.output<typeof etcdInitial>;

const etcdMember = z.object({
  name: memberName().optional().describe('Its name; none before it was started.'),
  node: name().optional().describe('The NixNode of its host; none for one that nobody here knows.'),
  id: etcdId().describe('Its ID, as etcdctl shows it.'),
  learner: z.boolean().describe('Whether it only follows, and has no vote yet.'),
  healthy: z
    .boolean()
    .optional()
    .describe(
      'Whether it answers and knows a leader; not said of one on unix sockets, which nobody can ask.',
    ),
  peerURL: peerURL().optional().describe('Where the other members reach it.'),
  problem: z.string().max(1024).optional().describe('Why it is not healthy.'),
});
export type EtcdMember = z.output<typeof etcdMember>;

const etcd = z.object({
  state: z
    .enum(['Absent', 'Starting', 'Alone', 'Healthy', 'Degraded', 'NoQuorum', 'Lost'])
    .describe(
      '`Alone`: one member on unix sockets, of which the API server tells how it is; `NoQuorum`: it takes no writes, or nobody could ask; `Lost`: no host has its data.',
    ),
  clusterID: etcdId().optional().describe('ID of the cluster, as etcdctl shows it.'),
  transport: transport().describe(
    'How members are reached: on unix sockets by their own host alone, or by TLS.',
  ),
  members: atomicList(etcdMember, maxMembers).optional().describe("Members by etcd's own list."),
  initial: etcdInitial.optional().describe('Which cluster a member without data becomes part of.'),
});
export type ClusterEtcd = z.output<typeof etcd>;

const kubernetes = z.object({
  version: minor().optional().describe('The minor version that all API servers have at least.'),
  target: minor().optional().describe('Where an upgrade under way leads.'),
  stage: z.enum(componentGroups).optional().describe('The components that move now.'),
  sources: mapList(kubernetesSource, 'version', 4)
    .optional()
    .describe('Where components come from, by minor version.'),
});

export const nixClusterStatus = z
  .object({
    observedGeneration: count().optional().describe('The generation of the spec that the status is about.'),
    conditions: conditions().optional().describe('What holds and what does not, and why.'),
    summary: z.string().max(128).optional().describe('In a word or two, how the cluster is.'),
    version: z
      .string()
      .max(64)
      .optional()
      .describe('The lowest version of Kubernetes that runs, of the API server and the kubelets.'),
    api: z
      .object({
        version: z.string().max(64).describe('The version of the API server that answered.'),
        latencyMs: count().describe('How soon it answers, in milliseconds, roughly.'),
      })
      .optional()
      .describe('The API, when it was last reached.'),
    members: z.string().max(32).optional().describe('Members that are ready, of how many.'),
    endpoint: z.string().max(300).optional().describe('The URL of the API.'),
    nodes: mapList(node, 'name', 1000).optional().describe('Members that have a number.'),
    retiredIndexes: atomicList(retired, 4096)
      .optional()
      .describe(
        'Numbers of members that left without a reset of their hosts. They are given again only to a NixNode whose `spec.index` asks for one.',
      ),
    etcd: etcd.optional().describe('The cluster of etcd, where that keeps the objects.'),
    kubernetes: kubernetes.optional().describe('Which Kubernetes runs, and where an upgrade leads.'),
    nixpkgs: pin.optional().describe('The nixpkgs of all nodes.'),
    resolver: name()
      .optional()
      .describe('The member that is to resolve `spec.nixpkgs` or `spec.kubernetes.nixpkgs`.'),
  })
  .describe('What holds for the cluster; written by Firn.');

export type NixClusterStatus = z.output<typeof nixClusterStatus>;
