/**
 * The certificates of a member's host: which are to be there, which of those that the host has stay, and which are made
 * anew. Their keys are in memory from here to the payload, and kept by the host alone.
 */
import { createHash } from 'node:crypto';
import { type ClusterPKI, parseDuration } from '../../crds/index.ts';
import type { Leaf } from '../clusterpki/leaves.ts';
import type { Material } from '../clusterpki/material.ts';
import { isDue } from '../clusterpki/renewal.ts';
import { Sealed } from '../lib/core/sealed.ts';
import type { Observation } from '../lib/host/protocol.ts';
import type { MadeFile } from '../lib/nix/release.ts';
import type { Issuance } from '../lib/pki/certificate.ts';
import { type Validity, validityOf } from '../lib/pki/inspect.ts';
import { issueLeaf } from '../lib/pki/leaf.ts';
import type { LeafRecord } from './manifest.ts';
import { readRecord } from './manifest.ts';

export type LeafPlan = {
  leaf: Leaf;
  record: LeafRecord;
  /** The secrets part on the host from which certificate and key are taken; null: they are made. */
  keptIn: string | null;
};

type Seen = Pick<Observation, 'manifestB64' | 'certificates' | 'releases' | 'current' | 'stored'>;
type Policy = Pick<ClusterPKI['spec'], 'keyAlgorithm' | 'certificates'>;

/**
 * What the host observes decides: a certificate that says what it should, by the authority that signs now, and that is
 * not due, stays. `seed` tells hosts apart, so that not all of them renew at once.
 */
export function planLeaves(
  leaves: readonly Leaf[],
  material: Material,
  policy: Policy,
  seen: Seen,
  seed: string,
  nowMs: number,
): LeafPlan[] {
  const had = readRecord(seen.manifestB64).leaves ?? {};
  const stored = storedSecrets(seen);
  const ends = new Map(seen.certificates.map(({ pathB64, certificate }) => [pathB64, certificate]));
  const renewBeforeMs = parseDuration(policy.certificates.renewBefore);
  const period = issuePeriod(nowMs, parseDuration(policy.certificates.lifetime));
  return leaves.map((leaf) => {
    const descriptor = descriptorOf(leaf, material, policy);
    const former = had[leaf.certificatePath];
    const same = former?.descriptor === descriptor ? former : undefined;
    const certificate = ends.get(leaf.certificatePath);
    const stays =
      same !== undefined &&
      stored !== null &&
      certificate !== undefined &&
      !isDue(validityIn(certificate), { renewBeforeMs }, `${seed} ${leaf.certificatePath}`, nowMs);
    const issued = stays ? same.issued : Math.max(period, (same?.issued ?? -1) + 1);
    return { leaf, record: { issued, descriptor }, keptIn: stays ? stored : null };
  });
}

/** The secrets part that runs, if the host still has its files. */
function storedSecrets({ releases, current, stored }: Seen): string | null {
  const hash = releases.find(({ id }) => id === current)?.parts.secrets;
  return hash !== undefined && stored.secrets.includes(hash) ? hash : null;
}

const dayMs = 86_400_000;

/**
 * Counts the periods in which a certificate is made: a day, or less for short-lived ones. It is part of the name of a
 * release, so a renewal that a host took back is tried again in the next period, and not before.
 */
function issuePeriod(nowMs: number, lifetimeMs: number): number {
  return Math.floor(nowMs / Math.min(dayMs, Math.max(60_000, lifetimeMs / 24)));
}

/** Of everything that the certificate says, but for its serial number and its dates. */
function descriptorOf({ spec, authority }: Leaf, material: Material, policy: Policy): string {
  const { fingerprint } = material.authorities[authority];
  const said = [spec, fingerprint, policy.keyAlgorithm, policy.certificates.lifetime];
  return createHash('sha256').update(JSON.stringify(said)).digest('hex');
}

/** DER in base64; what cannot be read is as good as over. */
export function validityIn(certificate: string): Validity {
  try {
    return validityOf(Buffer.from(certificate, 'base64'));
  } catch {
    return { notBefore: 0, notAfter: 0 };
  }
}

/** Certificate and key of each leaf, as files of the secrets part. */
export function leafFiles(plans: readonly LeafPlan[]): MadeFile[] {
  return plans.flatMap(({ leaf, record, keptIn }) => {
    const { owner, group, restartUnits, reloadUnits } = leaf;
    const common = { owner, group, restartUnits, reloadUnits, keptIn };
    const purpose = (what: string) => `${what} ${leaf.name} ${record.descriptor} ${record.issued}`;
    return [
      { ...common, path: leaf.certificatePath, mode: 0o444, purpose: purpose('certificate') },
      { ...common, path: leaf.keyPath, mode: 0o400, purpose: purpose('key') },
    ];
  });
}

/** Makes what is to be made, by path. Throws `PkiError`. */
export async function makeLeaves(
  plans: readonly LeafPlan[],
  material: Material,
  policy: Policy,
  issuance: Issuance,
): Promise<Map<string, Sealed<Uint8Array>>> {
  const { keyAlgorithm: algorithm } = policy;
  const lifetimeMs = parseDuration(policy.certificates.lifetime);
  const made = plans
    .filter(({ keptIn }) => keptIn === null)
    .map(async ({ leaf }) => {
      const { signer } = material.authorities[leaf.authority];
      const { certificate, key } = await issueLeaf(signer, { ...leaf.spec, algorithm, lifetimeMs }, issuance);
      return [
        [leaf.certificatePath, sealed(certificate)],
        [leaf.keyPath, sealed(key.open())],
      ] as const;
    });
  return new Map((await Promise.all(made)).flat());
}

const sealed = (text: string): Sealed<Uint8Array> => new Sealed(new TextEncoder().encode(text));
