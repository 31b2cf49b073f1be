/**
 * What the operator and `nix/host/firn-host` say to each other: the requests that the program reads and the JSON
 * that it prints. `firn-host` is the other half; a field that changes here changes there.
 *
 * A request is lines of `name value` on file descriptor 3: numbers and hashes as they are, free text as base64
 * (`text`). A payload follows on standard input after the program asked for it. A reply is one JSON object in which
 * every free text is base64 (fields that end in `B64`), so that nothing a host contains can break the framing.
 */
import { z } from 'zod';
import {
  certificatesSchema,
  etcdSchema,
  frontendsSchema,
  manifestSchema,
  wireguardSchema,
} from './observed.ts';

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const releaseId = z.string().regex(/^[0-9a-f]{12}$/);
const storePath = z.string().regex(/^\/nix\/store\/[0-9a-z]{32}-[A-Za-z0-9+._?=-]+$/);
const text = z.base64().transform((encoded) => Buffer.from(encoded, 'base64').toString('utf8'));
const unixSeconds = z.int();
/** As the API server takes them. */
const count = z
  .int()
  .min(0)
  .max(Number.MAX_SAFE_INTEGER - 1);
/** Why something was taken back; it becomes the reason of a condition. */
const reason = z.string().regex(/^[A-Z][A-Za-z0-9]{0,127}$/);

/** The three parts of a release (design.md, "A release on a host"). */
export const partNames = ['system', 'data', 'secrets'] as const;
export type PartName = (typeof partNames)[number];
export type Parts = Record<PartName, string>;
const parts = z.object({ system: hash, data: hash, secrets: hash });

/** Where the one release that is not yet confirmed stands. */
export const trialStates = [
  'Activating', // the detached runner is at work; the revert timer is armed
  'AwaitingConfirmation', // switched and healthy by the host's own judgement; the timer runs
  'RebootDue', // built and rooted, but it can only be entered by a guarded reboot
  'Rebooting', // the guarded reboot was asked for
  'Confirming', // confirm has begun and will be finished, by this boot or the next
  'Confirmed',
  'Reverting',
  'Reverted', // the last good release runs again; `reason` and `message` say why
] as const;
export type TrialState = (typeof trialStates)[number];

/** Why a release was taken back or refused; CamelCase, they become condition reasons. */
export const trialReasons = [
  'ActivationFailed', // switch-to-configuration failed
  'ActivationTimedOut',
  'UnitsFailed', // units that ran before or that the release brought are not up
  'NotConfirmed', // the operator did not confirm in time
  'FilesFailed', // a file could not be delivered, or a unit that it restarts failed
  'HostRestarted', // a boot in the middle came back to what was confirmed
  'RejectedByUser',
  'WouldNotBoot', // preflight
  'WouldLoseNetwork', // preflight
  'RebootUnprotected', // needs a reboot that the boot loader cannot guard
  'FormatUnsupported', // the system cannot read the data's or the secrets' format
  'DiskFull',
] as const;
export type TrialReason = (typeof trialReasons)[number];

const job = z.object({
  state: z.enum(['Running', 'Succeeded', 'Failed']),
  startedAt: unixSeconds,
  /** The last lines that a user needs, at most 4 KiB. */
  messageB64: text,
});

export const observationSchema = z.object({
  ok: z.literal(true),
  /** SHA-256 of the program that answered. */
  program: hash,
  /** The host's clock. */
  time: unixSeconds,
  bootId: z.string().regex(/^[0-9a-f-]{36}$/),
  facts: z.object({
    hostnameB64: text,
    /** As Nix names it: `x86_64-linux`. */
    system: z.string().regex(/^[a-z0-9_]{1,64}-linux$/),
    kernelB64: text,
    /** Empty where there is no Nix. */
    nixVersionB64: text,
    /** Empty where it is not NixOS. */
    nixosVersionB64: text,
    systemdVersion: count,
    cpus: count,
    memoryBytes: count,
    /** Global addresses, without prefix lengths. */
    addresses: z.array(z.string().regex(/^[0-9a-f.:]{2,45}$/)),
  }),
  disk: z.array(
    z.object({ path: z.enum(['/nix', '/var', '/boot']), freeBytes: z.int(), freeInodes: z.int().nullable() }),
  ),
  /** Who deploys here; null before the first `claim` and after `disown`. */
  owner: z.object({ installation: z.string(), fence: z.int(), ownerB64: text, uid: z.string() }).nullable(),
  /** What ran before Firn. Null before the first claim. */
  release0: z.object({ running: storePath, booted: storePath, profile: storePath.nullable() }).nullable(),
  running: z.object({
    system: storePath,
    booted: storePath,
    profile: storePath.nullable(),
    /** The generation number of the system profile; null where there is none. */
    generation: count.nullable(),
  }),
  releases: z.array(
    z.object({
      id: releaseId,
      parts,
      /** Null until it is built. */
      system: storePath.nullable(),
    }),
  ),
  /** Parts whose files are on the host and can be named by `stage` without sending them again. */
  stored: z.object({ system: z.array(hash), data: z.array(hash), secrets: z.array(hash) }),
  current: releaseId.nullable(),
  confirmed: releaseId.nullable(),
  /** Of `current`, as the operator sent it with `stage`; JSON text. */
  manifestB64: manifestSchema,
  certificates: certificatesSchema,
  wireguard: wireguardSchema,
  etcd: etcdSchema,
  frontends: frontendsSchema,
  trial: z
    .object({
      id: releaseId,
      attempt: count,
      state: z.enum(trialStates),
      reason: z.enum(trialReasons).nullable(),
      messageB64: text,
      /** When the host takes it back by itself; null where no timer runs. */
      deadline: unixSeconds.nullable(),
      /** Units that a confirmation should look at: failed now, not failed before. */
      failedUnits: z.array(z.string()),
    })
    .nullable(),
  /** Parts that were taken back, and must not be tried again until their inputs change. */
  bad: z.array(z.object({ part: z.enum(partNames), hash, reason, messageB64: text, at: unixSeconds })),
  build: job.extend({ id: releaseId }).nullable(),
  resolve: job
    .extend({
      urlB64: text,
      /** The `refresh` of the request, so that an answer can be told from that to an earlier question. */
      refreshB64: text,
      /** What `nix flake metadata --json` says under `locked`; JSON text. */
      lockedB64: text,
    })
    .nullable(),
  reset: job.nullable(),
  /** True where the host booted something that is not the confirmed release's system. */
  bootedOther: z.boolean(),
  /** True where the stored secrets could not be decrypted at this boot. */
  secretsLost: z.boolean(),
  failedUnits: z.array(z.string()),
});
export type Observation = z.output<typeof observationSchema>;

const accepted = z.object({ ok: z.literal(true) });

/** Every subcommand that changes something carries this; the host refuses a smaller fence or another installation. */
export type Fencing = {
  /** UID of the operator's installation: 32 hex digits. */
  installation: string;
  fence: number;
};

type FieldType = 'hex' | 'int' | 'text';
const fencing = { installation: 'hex', fence: 'int' } as const;

/**
 * Every subcommand: the fields of its request in the order of sending, whether a payload follows, and what it answers.
 * Those that take long start a transient unit and answer at once; `observe` says how it goes.
 */
export const subcommands = {
  /** Everything the operator ever needs to know, in one round trip. Changes nothing. */
  observe: { fields: {}, payload: false, reply: observationSchema },
  /** Become the host's owner, or raise the fence. First contact records release 0. `adopt 1` takes over from another installation. */
  claim: {
    fields: { ...fencing, owner: 'text', uid: 'text', adopt: 'int' },
    payload: false,
    reply: accepted,
  },
  /** Resolve a flake reference once (detached): `observe().resolve`. */
  resolve: { fields: { ...fencing, url: 'text', refresh: 'text' }, payload: false, reply: accepted },
  /**
   * Lay down a release. The payload is a tar of `bundle/…`, `data/…`, `secrets/…`: only the parts that are not stored. Files of
   * the secrets may be kept from a part that is stored (`secretsTree` in lib/nix/release.ts). A release that is there already
   * keeps its manifest.
   */
  stage: {
    fields: {
      ...fencing,
      id: 'hex',
      system: 'hex',
      data: 'hex',
      secrets: 'hex',
      dataFormat: 'int',
      secretsFormat: 'int',
      manifest: 'text',
      payloadSha256: 'hex',
      payloadBytes: 'int',
    },
    payload: true,
    reply: accepted,
  },
  /** Build a staged release's system (detached): `observe().build`. At once where its system is there already. */
  build: { fields: { ...fencing, id: 'hex' }, payload: false, reply: accepted },
  /** Put a built release on trial (detached): `observe().trial`. `allow`: preflight findings that the user accepts, comma separated. */
  activate: {
    fields: {
      ...fencing,
      id: 'hex',
      attempt: 'int',
      confirmSeconds: 'int',
      activateSeconds: 'int',
      allow: 'text',
    },
    payload: false,
    reply: accepted,
  },
  /** Enter a release in `RebootDue` by a guarded reboot. The connection ends. */
  reboot: {
    fields: { ...fencing, id: 'hex', attempt: 'int', confirmSeconds: 'int', allow: 'text' },
    payload: false,
    reply: accepted,
  },
  /** Keep what is on trial: compare and set on (AwaitingConfirmation, id, attempt). */
  confirm: {
    fields: { ...fencing, id: 'hex', attempt: 'int' },
    payload: false,
    reply: z.object({
      ok: z.literal(true),
      state: z.enum(['Confirmed', 'Confirming', 'Reverted', 'Reverting']),
    }),
  },
  /** Take back what is on trial, now. */
  revert: {
    fields: { ...fencing, id: 'hex', attempt: 'int', message: 'text' },
    payload: false,
    reply: accepted,
  },
  /** Remember a part as bad, because the user said so or for another of `trialReasons`; the operator then deploys the last good one. */
  reject: {
    fields: { ...fencing, part: 'text', hash: 'hex', reason: 'text', message: 'text' },
    payload: false,
    reply: accepted,
  },
  /** Forget what is remembered as bad, and accept what was booted by hand. */
  resume: { fields: { ...fencing }, payload: false, reply: accepted },
  /** Remove releases and parts that nothing refers to. */
  prune: { fields: { ...fencing }, payload: false, reply: accepted },
  /** Back to release 0, then remove Firn from the host (detached): `observe().reset`, later `owner: null, release0: null`. */
  reset: { fields: { ...fencing }, payload: false, reply: accepted },
  /** Stop owning the host; leave everything else as it is. */
  disown: { fields: { ...fencing }, payload: false, reply: accepted },
  /** Remove what calls leave on a host that nobody has claimed: the program itself. The last call after a reset. */
  depart: { fields: {}, payload: false, reply: accepted },
  /** The last lines of a detached step: `what` is build, activate, resolve or reset. */
  log: {
    fields: { what: 'text', lines: 'int' },
    payload: false,
    reply: z.object({ ok: z.literal(true), textB64: text }),
  },
} as const satisfies Record<
  string,
  { fields: Record<string, FieldType>; payload: boolean; reply: z.ZodType }
>;

export type Subcommand = keyof typeof subcommands;
type ValueOf<F> = F extends 'int' ? number : string;
type FieldsOf<S extends Subcommand> = (typeof subcommands)[S]['fields'];
export type HostRequest<S extends Subcommand> = {
  readonly [K in keyof FieldsOf<S>]: ValueOf<FieldsOf<S>[K]>;
} & ((typeof subcommands)[S]['payload'] extends true ? { readonly payload: Uint8Array } : unknown);
export type HostReply<S extends Subcommand> = z.output<(typeof subcommands)[S]['reply']>;

/** Codes with which the program refuses; in `HostError.refusal`. */
export const refusalCodes = [
  'Fenced', // a newer operator was here
  'OwnedByOther',
  'NotClaimed',
  'Busy', // another trial, build or reset is under way
  'NotFound', // no such release, or not staged
  'NotBuilt',
  'PartMissing', // stage without a payload for a part that is not stored
  'PayloadCorrupt',
  'InvalidRequest',
  'NoNix',
  'NotNixOS', // no switch-to-configuration to come back to
  'NoSystemd',
  'DiskFull',
  'NotPersistent', // /var/lib/firn or /var/lib/systemd does not survive a reboot
  'Failed', // anything else; the message says what
] as const;
export const refusalSchema = z.object({
  ok: z.literal(false),
  code: z.enum(refusalCodes),
  messageB64: text,
});
