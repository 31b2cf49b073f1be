/** What a release's manifest.json says: the operator's own words, kept on the host for whoever operates it next. */
import { z } from 'zod';
import { kubernetesOfHost } from '../../crds/kubernetes-versions.ts';

const digest = z.string().regex(/^[0-9a-f]{64}$/);

const pin = z.object({ url: z.string(), refresh: z.string().optional(), locked: z.string() });
const cluster = z.object({ name: z.string(), index: z.int().min(1).max(65_535) });
/** `issued` counts periods (certificates.ts); `descriptor` is a digest of all that the certificate is to say. */
const leaf = z.object({ issued: z.int().min(0), descriptor: digest });

const recordSchema = z.object({
  /** When the release was staged, by the operator's clock. */
  renderedAt: z.iso.datetime().optional(),
  /** Which nixpkgs the system was built from. */
  nixpkgs: pin.optional(),
  /** Which Kubernetes the system has, and where that comes from. */
  kubernetes: kubernetesOfHost.optional(),
  /** Which cluster the release was made for. */
  cluster: cluster.optional(),
  /** Certificates in the secrets part, by path. */
  leaves: z.record(z.string(), leaf).optional(),
  /** What they and the keys beside them come from, by name (clusterpki/shared-files.ts). */
  origins: z.record(z.string(), digest).optional(),
  /** A digest of all files of the secrets part but for their contents: a system that knows them knows the next ones too. */
  layout: digest.optional(),
  /** What pods on the host depend on beside it: while that stays as it is, they go on under a new system. */
  podsRestOn: z.string().max(256).optional(),
  /** Digests of the frontends that it serves, by name. */
  frontends: z.record(z.string(), digest).optional(),
});
export type ReleaseRecord = z.output<typeof recordSchema>;
export type LeafRecord = z.output<typeof leaf>;

/** Of the text that a host has; nothing where there is none, or where somebody else wrote it. */
export function readRecord(manifest: string): ReleaseRecord {
  try {
    return recordSchema.parse(JSON.parse(manifest));
  } catch {
    return {};
  }
}
