/** The three authorities: found in their Secrets, imported, or made; and what follows for a rotation. */
import type { ClusterPKI } from '../../crds/index.ts';
import { parseDuration } from '../../crds/index.ts';
import { ReconcileError } from '../lib/core/outcome.ts';
import { type Secret, SecretKind } from '../lib/kube/core-kinds.ts';
import { type Authority, createAuthority } from '../lib/pki/authority.ts';
import type { Issuance } from '../lib/pki/certificate.ts';
import { crossSign } from '../lib/pki/cross-sign.ts';
import { fingerprintOf } from '../lib/pki/inspect.ts';
import {
  type AuthorityState,
  authorityData,
  readAuthority,
  trustFingerprint,
  trustOf,
} from './authority-secret.ts';
import { importedAuthority } from './imported.ts';
import { createKept, type Keeper, type Layout, readKept } from './kept.ts';
import { assertNew, type Member } from './members.ts';
import type { AuthorityName } from './policies/policy.ts';
import { idleRecord } from './record.ts';
import { authoritySecretName } from './secret-names.ts';
import type { Origins } from './shared-files.ts';

export const authorityLayout: Layout<AuthorityState> = {
  type: 'kubernetes.io/tls',
  read: readAuthority,
  data: authorityData,
};

export type KeptAuthority = {
  name: AuthorityName;
  secret: Secret;
  state: AuthorityState;
  /** What `spec.import` names, checked. */
  imported: Authority | undefined;
};

/** Kubernetes' documentation has these names; what follows tells one generation, and one cluster, from another. */
const commonNames: Record<AuthorityName, string> = {
  cluster: 'kubernetes-ca',
  etcd: 'etcd-ca',
  'front-proxy': 'kubernetes-front-proxy-ca',
};

/** Throws `ReconcileError` while it is not there: made just now, not to be made, or not usable. */
export async function ensureAuthority(
  keeper: Keeper,
  name: AuthorityName,
  members: readonly Member[],
  issuance: Issuance,
): Promise<KeptAuthority> {
  const { pki } = keeper;
  const secretName = authoritySecretName(pki.metadata.name, name);
  const request = pki.spec.rotate.authority;
  const imported = await importedFor(keeper, name, issuance.now);
  const kept = await readKept(keeper, secretName, authorityLayout, request);
  if (kept) return { name, ...kept, imported };
  const fingerprint = imported && fingerprintOf(imported.certificate);
  const known = pki.status?.authorities?.some((one) => one.name === name) ?? false;
  assertNew({ name, secretName, known, fingerprint }, members);
  const signer = imported ?? (await newAuthority(pki, name, issuance));
  const record = idleRecord(request, keeper.now);
  return createKept(keeper, secretName, authorityLayout, { signer, next: null, previous: null, record });
}

const importKeys = { cluster: 'cluster', etcd: 'etcd', 'front-proxy': 'frontProxy' } as const;

async function importedFor(
  { pki, context }: Keeper,
  name: AuthorityName,
  now: number,
): Promise<Authority | undefined> {
  const reference = pki.spec.import?.[importKeys[name]];
  if (!reference) return undefined;
  const secret = await context.read.load(SecretKind, pki.metadata.namespace ?? '', reference.name);
  return importedAuthority(secret, now);
}

function newAuthority({ spec }: ClusterPKI, name: AuthorityName, issuance: Issuance): Promise<Authority> {
  const generation = Buffer.from(issuance.random(4)).toString('hex');
  return createAuthority(
    {
      commonName: `${commonNames[name]}-${generation}`,
      algorithm: spec.keyAlgorithm,
      lifetimeMs: parseDuration(spec.authorities.lifetime),
    },
    issuance,
  );
}

/** Who takes over in a rotation, with what the present authority says for it. Throws where that would be the same one. */
export async function successorOf(
  { name, state, imported }: KeptAuthority,
  pki: ClusterPKI,
  issuance: Issuance,
): Promise<Authority> {
  const { signer } = state;
  if (imported && fingerprintOf(imported.certificate) === fingerprintOf(signer.certificate)) {
    const message = `the authority ${name} is imported, and its Secret still has the one in use; put its successor there, or take it out of spec.import`;
    throw new ReconcileError('waiting', 'ImportedAuthorityUnchanged', message);
  }
  const newer = imported ?? (await newAuthority(pki, name, issuance));
  const vouched = await crossSign(newer, signer, issuance);
  return { ...newer, chain: newer.chain + (vouched ?? '') };
}

/** What hosts report once they have what the state says. */
export const expectedOf = ({ name, state }: Pick<KeptAuthority, 'name' | 'state'>): Origins => ({
  [name]: fingerprintOf(state.signer.certificate),
  [`${name}-trust`]: trustFingerprint(trustOf(state)),
});
