/** What the nixnode controller found and did. Everything is optional: nothing is known of a new host. */
import { z } from 'zod';
import { conditions, count, digest, integer, releaseId, timestamp } from './common.ts';
import { etcdId, startWord, transport } from './etcd.ts';
import { kubernetesOfHost } from './kubernetes-versions.ts';
import { atomicList, mapList } from './rules.ts';
import { wireguardKeyPattern } from './wireguard-key.ts';

const part = z.enum(['system', 'data', 'secrets']);
const said = () => z.string().max(32_768);

const release = z.object({
  desired: releaseId().optional().describe('What the objects ask for.'),
  current: releaseId().optional().describe('What runs.'),
  confirmed: releaseId().optional().describe('What a boot comes back to.'),
  previous: releaseId().optional().describe('What was confirmed before.'),
  class: part
    .optional()
    .describe('The gravest part in which what is desired differs from what runs: system, data, secrets.'),
  built: z.boolean().optional().describe('Whether what is desired, and does not run yet, is built.'),
  stopsPods: z.boolean().optional().describe('Whether activating it stops pods of the host.'),
  restartsServers: z
    .boolean()
    .optional()
    .describe('Whether it has keys that restart etcd or the API server of the host.'),
});

const parts = z.object({
  system: digest().optional().describe('Hash of what the system is built from.'),
  data: digest().optional().describe('Hash of the fleet data.'),
  secrets: z
    .string()
    .max(64)
    .optional()
    .describe('Name of the set of secrets; says nothing about their content.'),
});

const trial = z.object({
  id: releaseId().describe('The release on trial.'),
  attempt: count().describe('Counts trials of this release.'),
  state: z
    .enum([
      'Activating',
      'AwaitingConfirmation',
      'RebootDue',
      'Rebooting',
      'Confirming',
      'Confirmed',
      'Reverting',
      'Reverted',
    ])
    .describe('How far it is.'),
  reason: z.string().max(1024).optional().describe('Why it was taken back.'),
  message: said().optional().describe('The same, for people.'),
  deadline: timestamp().optional().describe('When the host takes it back unless it is confirmed.'),
});

const bad = z.object({
  part: part.describe('Which part of a release.'),
  hash: z.string().max(64).describe('Its hash.'),
  reason: z.string().max(1024).describe('Why it was taken back.'),
  message: said().optional().describe('The same, for people.'),
  at: timestamp().describe('When.'),
});

const facts = z.object({
  hostname: z.string().max(1024).optional().describe('Its name for itself.'),
  system: z.string().max(1024).optional().describe('Its platform as Nix names it.'),
  kernel: z.string().max(1024).optional().describe('Release of the kernel that runs.'),
  nixVersion: z.string().max(1024).optional().describe('Version of Nix.'),
  systemdVersion: count().optional().describe('Version of systemd.'),
  cpus: count().optional().describe('Processors.'),
  memoryBytes: count().optional().describe('Memory, in bytes.'),
  addresses: atomicList(z.string().max(45), 1024).optional().describe('Global addresses.'),
});

const ssh = z.object({
  hostKeys: atomicList(z.string().max(2048), 16)
    .optional()
    .describe('The host key that was pinned on first use.'),
  hostKeyFingerprint: z
    .string()
    .max(128)
    .optional()
    .describe('SHA-256 fingerprint of the key that the host showed.'),
});

const nixpkgs = z.object({
  url: z.string().max(2048).optional().describe('The flake reference that was resolved.'),
  refresh: z.string().max(256).optional().describe('`spec.nixpkgs.refresh` at that time.'),
  rev: z.string().max(64).optional().describe('The commit.'),
  narHash: z.string().max(128).optional().describe('The hash of the source.'),
  lastModified: count().optional().describe('Date of the commit, in seconds since the epoch.'),
  locked: z.string().max(8192).optional().describe('What flake.lock says under `locked`, as JSON text.'),
});

// --- its place in a cluster, in the host's own words ---

const member = z.object({
  cluster: z.string().max(253).describe('Name of the NixCluster.'),
  index: integer(1, 65_535).describe('Its number there.'),
  nixpkgs: z
    .object({
      url: z.string().max(2048).describe('What was asked for.'),
      refresh: z.string().max(256).optional().describe('`spec.nixpkgs.refresh` at that time.'),
      locked: z.string().max(8192).describe('What flake.lock says under `locked`, as JSON text.'),
    })
    .optional()
    .describe('What its release was built from.'),
  kubernetes: kubernetesOfHost.optional().describe('Which Kubernetes its release has.'),
});

const publicKey = () => z.string().regex(wireguardKeyPattern).max(44);
const epoch = () => integer(1, 1_000_000_000);

const meshPeer = z.object({
  name: z.string().max(253).describe('The other node, or external peer.'),
  epoch: epoch().describe('The generation of keys that it is about.'),
  state: z
    .enum(['Connected', 'Waiting', 'Down'])
    .describe('`Waiting`: never connected yet; `Down`: no handshake for longer than keepalives allow.'),
  lastHandshake: timestamp().optional().describe('When keys were last agreed on, to a minute or more.'),
  receivedBytes: count().describe('Received from it.'),
  sentBytes: count().describe('Sent to it.'),
});

const mesh = z.object({
  keys: atomicList(
    z.object({
      epoch: epoch().describe('Which generation of keys.'),
      publicKey: publicKey().describe('The public half; the private one never leaves the host.'),
    }),
    8,
  ).describe('Keys that the host has made.'),
  active: epoch().optional().describe('The generation of keys that traffic goes by.'),
  port: integer(1, 65_535).optional().describe('The UDP port that the active device listens on.'),
  mtu: count().optional().describe('MTU of the active device, in bytes.'),
  peers: count().describe('How many peers it should be connected to.'),
  connected: count().describe('How many it is connected to.'),
  details: atomicList(meshPeer, 64).describe('Its peers, the worst first.'),
  problem: said().optional().describe('What keeps the mesh from working on this host.'),
});

/** An authority: who signed; with `-trust`: the set of those that are trusted. Or the set of keys for tokens, or for encryption. */
export const originNames = [
  'cluster',
  'etcd',
  'front-proxy',
  'cluster-trust',
  'etcd-trust',
  'front-proxy-trust',
  'service-account',
  'encryption',
] as const;

const frontend = z.object({
  name: z.string().max(63).describe('Name of the ClusterFrontend.'),
  digest: digest().optional().describe('Of the frontend as it was when it was deployed.'),
  servers: count().describe('Pods that its HAProxy knows of.'),
  up: count().describe('Those of them that answer its health checks.'),
});

const pki = z.object({
  authorities: atomicList(
    z.object({
      name: z
        .enum(originNames)
        .describe(
          'An authority: who signed; with `-trust`: the set of those that are trusted. Or the set of keys for tokens, or for encryption.',
        ),
      fingerprint: digest().describe('SHA-256 of the certificate, or of what tells the set.'),
    }),
    8,
  ).describe('What the certificates and keys on the host come from.'),
  certificates: count().describe('How many certificates it has.'),
  nextExpiry: timestamp().optional().describe('When the first of them ends.'),
  nextExpiring: z.string().max(4096).optional().describe('Path of that one.'),
});

const etcd = z.object({
  hasData: z.boolean().describe('Whether it has data of etcd.'),
  hasSQLite: z.boolean().optional().describe('Whether it has data of kine.'),
  clusterID: etcdId().optional().describe('Of which cluster the data are.'),
  memberID: etcdId().optional().describe('Of which member they are.'),
  started: startWord().optional().describe('The last start that made data; they may be gone by now.'),
  transport: transport().optional().describe('How the member was last started.'),
});

export const nixNodeStatus = z
  .object({
    observedGeneration: count().optional().describe('The generation of the spec that the status is about.'),
    conditions: conditions().optional().describe('What holds and what does not, and why.'),
    summary: z.string().max(128).optional().describe('In a word or two, how the host is.'),
    release: release.optional().describe('Releases of the host.'),
    parts: parts.optional().describe('Parts of the release that runs.'),
    trial: trial.optional().describe('The newest release that was put on trial.'),
    bad: atomicList(bad, 64)
      .optional()
      .describe('What was taken back, and is not tried again until it changes.'),
    nixosVersion: z.string().max(1024).optional().describe('The NixOS release that runs.'),
    kubernetesVersion: z.string().max(64).optional().describe('The version of its kubelet.'),
    facts: facts.optional().describe('What the host says about itself.'),
    bootId: z.string().max(64).optional().describe('Changes with every boot of the host.'),
    generation: count().optional().describe('Generation of the system profile.'),
    rebootDue: z.boolean().optional().describe('Whether a change waits for a reboot.'),
    roles: z.string().max(64).optional().describe('What the host is in its cluster.'),
    index: integer(1, 65_535).optional().describe('The number of the host in its cluster.'),
    member: member.optional().describe("The host's own record of the cluster that its release was made for."),
    mesh: mesh.optional().describe('The mesh as the host sees it.'),
    etcd: etcd.optional().describe("What the host has of its cluster's datastore."),
    pki: pki.optional().describe('Certificates of the cluster on the host.'),
    frontends: mapList(frontend, 'name', 256).optional().describe('The frontends that the host serves.'),
    ssh: ssh.optional().describe('What was seen of the SSH server.'),
    nixpkgs: nixpkgs.optional().describe('The nixpkgs that was resolved.'),
    kubernetesNixpkgs: nixpkgs
      .optional()
      .describe('What its host found `spec.kubernetes.nixpkgs` of the cluster to be.'),
    fence: z
      .object({
        installation: z.string().max(64).describe('Which operator deploys here.'),
        number: count().describe('Grows with every new holder of the lease.'),
      })
      .optional()
      .describe('The token by which the host refuses an operator that is no longer in charge.'),
    resumed: z
      .string()
      .max(256)
      .optional()
      .describe('The value of the annotation `firn.dev/resume` that was acted upon.'),
    rejected: z
      .string()
      .max(256)
      .optional()
      .describe('The value of the annotation `firn.dev/rollback` that was acted upon.'),
    lastObserved: timestamp()
      .optional()
      .describe('When the host last answered, to ten minutes: it is not written more often.'),
    deletionPolicy: z
      .enum(['Orphan', 'Reset'])
      .optional()
      .describe('What becomes of the host when the object is deleted, by its spec or its cluster.'),
    deletion: z
      .object({
        outcome: z
          .enum(['Reset', 'Orphaned', 'TimedOut'])
          .describe('What became of the host; its index is free again after a Reset alone.'),
        at: timestamp().describe('When that was.'),
      })
      .optional()
      .describe('What the deletion did to the host.'),
  })
  .describe('What is true of the host; written by Firn.');

export type NixNodeStatus = z.output<typeof nixNodeStatus>;
