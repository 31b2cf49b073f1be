/** What the nixnode controller found and did. Everything is optional: nothing is known of a new host. */
import { z } from 'zod';
import { conditions, integer, timestamp } from './common.ts';
import { atomicList } from './rules.ts';

const releaseId = () =>
  z
    .string()
    .regex(/^[0-9a-f]{12}$/)
    .max(12);
const hash = () =>
  z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .max(64);
const part = z.enum(['system', 'data', 'secrets']);
const count = () => integer(0, Number.MAX_SAFE_INTEGER - 1);
const said = () => z.string().max(32_768);

const release = z.object({
  desired: releaseId().optional().describe('What the objects ask for.'),
  current: releaseId().optional().describe('What runs.'),
  confirmed: releaseId().optional().describe('What a boot comes back to.'),
  previous: releaseId().optional().describe('What was confirmed before.'),
});

const parts = z.object({
  system: hash().optional().describe('Hash of what the system is built from.'),
  data: hash().optional().describe('Hash of the fleet data.'),
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
    facts: facts.optional().describe('What the host says about itself.'),
    bootId: z.string().max(64).optional().describe('Changes with every boot of the host.'),
    generation: count().optional().describe('Generation of the system profile.'),
    rebootDue: z.boolean().optional().describe('Whether a change waits for a reboot.'),
    index: integer(1, 65_535).optional().describe('The number of the host among its peers.'),
    ssh: ssh.optional().describe('What was seen of the SSH server.'),
    nixpkgs: nixpkgs.optional().describe('The nixpkgs that was resolved.'),
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
    deletion: z
      .object({ startedAt: timestamp().describe('When the deletion was first seen.') })
      .optional()
      .describe('How far the deletion is.'),
  })
  .describe('What is true of the host; written by Firn.');

export type NixNodeStatus = z.output<typeof nixNodeStatus>;
