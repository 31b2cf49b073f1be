/** What `observe` says of the release that runs (its certificates), of the mesh, and of the datastore. */
import { z } from 'zod';
import { etcdId, startWord, transport } from '../../../crds/etcd.ts';
import { wireguardKeyPattern } from '../../../crds/wireguard-key.ts';

/**
 * Bounds of a reply. The program leaves out what is beyond them, so that a host with too much of something can still be
 * talked to; here they hold whatever answers instead of the program.
 */
export const observedLimits = {
  manifestBytes: 512 * 1024,
  certificates: 64,
  /** Of one certificate in base64, in characters. */
  certificateLength: 8 * 1024,
  /** Generations of keys, and devices. */
  epochs: 8,
  /** Of one device. */
  peers: 2000,
  frontends: 256,
  /** Of one frontend. */
  servers: 256,
} as const;

const text = z.base64().transform((encoded) => Buffer.from(encoded, 'base64').toString('utf8'));
const counter = z.int().min(0);
const epoch = z.int().min(1).max(999_999_999);
const publicKey = z.string().regex(wireguardKeyPattern);
const device = z.string().regex(/^[A-Za-z0-9_.-]{1,15}$/);

/** JSON text: what the operator wrote when it staged the release that is current. Empty where there is none. */
export const manifestSchema = z
  .base64()
  .max(Math.ceil(observedLimits.manifestBytes / 3) * 4)
  .transform((encoded) => Buffer.from(encoded, 'base64').toString('utf8'));

/** Of every file of the current secrets part that begins with a certificate: where it is, and that certificate. */
export const certificatesSchema = z
  .array(
    z.object({
      pathB64: text,
      /** DER in base64, as between the lines of its PEM. */
      certificate: z.base64().min(1).max(observedLimits.certificateLength),
    }),
  )
  .max(observedLimits.certificates);

/** Null where the host is no frontend, or HAProxy does not run there. */
export const frontendsSchema = z
  .array(
    z.object({
      name: z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/),
      /** Pods that it knows of, and those of them that answer. */
      servers: counter.max(observedLimits.servers),
      up: counter.max(observedLimits.servers),
    }),
  )
  .max(observedLimits.frontends)
  .nullable();

/** Null where the host has neither keys of a mesh nor a unit that says something about one. */
export const wireguardSchema = z
  .object({
    /** Keys that the host made and keeps. */
    keys: z.array(z.object({ epoch, publicKey })).max(observedLimits.epochs),
    devices: z
      .array(
        z.object({
          epoch,
          device,
          listenPort: z.int().min(0).max(65_535),
          mtu: counter,
          /** Whether routes go into it. */
          active: z.boolean(),
          /** Public key, last handshake (Unix seconds; 0: never), bytes received, bytes sent. */
          peers: z.array(z.tuple([publicKey, counter, counter, counter])).max(observedLimits.peers),
        }),
      )
      .max(observedLimits.epochs),
    /** What keeps the unit from its work; empty where nothing does. */
    problemB64: text,
  })
  .nullable();

/** A cluster's datastore on this host, by its files: nothing of it has to run. */
export const etcdSchema = z.object({
  hasData: z.boolean(),
  hasSQLite: z.boolean(),
  /** As etcd itself wrote them into its log; null without data, and where the log says nothing. */
  clusterID: etcdId().nullable(),
  memberID: etcdId().nullable(),
  /** What nix/modules/kubernetes/etcd.sh remembers apart from the data. */
  started: startWord().nullable(),
  transport: transport().nullable(),
});
