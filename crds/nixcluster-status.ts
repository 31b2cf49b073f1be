/** What the nixcluster controller decided. Hosts hold the same: lost, it comes back from what they say. */
import { z } from 'zod';
import { conditions, count, integer, releaseId, timestamp } from './common.ts';
import { atomicList, mapList } from './rules.ts';

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
});

const node = z.object({
  name: name().describe('Name of the NixNode.'),
  uid: z.string().max(64).describe('Its UID, when it was last seen.'),
  index: index().describe('Its number, for good.'),
  podCIDRs: atomicList(cidr(), 2).describe('Its subnets, in the order of `spec.network.pods`.'),
  addresses: atomicList(address(), 2).describe("The host's address in each of them."),
  underlayAddresses: atomicList(address(), 16).describe(
    'Addresses by which other nodes reach it: `spec.addresses` of the NixNode, or `ssh.host` if the host has it.',
  ),
  granted: releaseId().optional().describe('The release whose system it may activate.'),
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

export const nixClusterStatus = z
  .object({
    observedGeneration: count().optional().describe('The generation of the spec that the status is about.'),
    conditions: conditions().optional().describe('What holds and what does not, and why.'),
    summary: z.string().max(128).optional().describe('In a word or two, how the cluster is.'),
    version: z.string().max(64).optional().describe('The version of Kubernetes that runs.'),
    members: z.string().max(32).optional().describe('Members that are ready, of how many.'),
    endpoint: z.string().max(300).optional().describe('The URL of the API.'),
    nodes: mapList(node, 'name', 1000).optional().describe('Members that have a number.'),
    retiredIndexes: atomicList(retired, 4096)
      .optional()
      .describe(
        'Numbers of members that left without a reset of their hosts. They are given again only to a NixNode whose `spec.index` asks for one.',
      ),
    nixpkgs: pin.optional().describe('The nixpkgs of all nodes.'),
    resolver: name().optional().describe('The member that is to resolve `spec.nixpkgs`.'),
  })
  .describe('What holds for the cluster; written by Firn.');

export type NixClusterStatus = z.output<typeof nixClusterStatus>;
