/** Keys and certificates of a cluster as Firn makes them, without an API server. */
import { randomBytes } from 'node:crypto';
import { type AuthorityState, authorityData } from '../../controllers/clusterpki/authority-secret.ts';
import { createEncryptionKey, encryptionData } from '../../controllers/clusterpki/encryption-secret.ts';
import { type Leaf, leavesOf, type Subject } from '../../controllers/clusterpki/leaves.ts';
import { type Material, materialOf } from '../../controllers/clusterpki/material.ts';
import { idleRecord } from '../../controllers/clusterpki/record.ts';
import { serviceAccountData } from '../../controllers/clusterpki/service-account-secret.ts';
import { Sealed } from '../../controllers/lib/core/sealed.ts';
import type { Secret } from '../../controllers/lib/kube/core-kinds.ts';
import { type Authority, createAuthority } from '../../controllers/lib/pki/authority.ts';
import { generateKey, type KeyAlgorithm } from '../../controllers/lib/pki/keys.ts';
import { issueLeaf } from '../../controllers/lib/pki/leaf.ts';
import { keepSecret } from './secrets/registry.ts';

export const issuance = () => ({ now: Date.now(), random: randomBytes });
const record = idleRecord(undefined, '2026-11-21T10:00:00Z');
const day = 86_400_000;

export const newAuthority = (
  commonName: string,
  algorithm: KeyAlgorithm = 'ECDSA-P256',
): Promise<Authority> => createAuthority({ commonName, algorithm, lifetimeMs: 3650 * day }, issuance());

export const idleAuthority = (signer: Authority): AuthorityState => ({
  signer,
  next: null,
  previous: null,
  record,
});

export const secretOf = (name: string, data: Record<string, Sealed<string>>): Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: 'demo', uid: name, resourceVersion: '1' },
  type: 'Opaque',
  data: Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, new Sealed(new TextEncoder().encode(value.open()))]),
  ),
});

export async function newMaterial(algorithm: KeyAlgorithm): Promise<Material> {
  const authority = async (name: string) =>
    secretOf(name, authorityData(idleAuthority(await newAuthority(name, algorithm))));
  const key = await generateKey(algorithm);
  return materialOf({
    cluster: await authority('kubernetes-ca'),
    etcd: await authority('etcd-ca'),
    frontProxy: await authority('kubernetes-front-proxy-ca'),
    serviceAccount: secretOf('sa', serviceAccountData({ key, next: null, previous: null, record })),
    encryption: secretOf('enc', encryptionData({ keys: [createEncryptionKey(randomBytes)], record })),
  });
}

export type IssuedLeaf = { leaf: Leaf; certificate: string; key: Sealed<string> };

export async function issueAll(
  subject: Subject,
  material: Material,
  algorithm: KeyAlgorithm,
): Promise<Map<string, IssuedLeaf>> {
  const made = leavesOf(subject).map(async (leaf) => {
    const { signer } = material.authorities[leaf.authority];
    const issued = await issueLeaf(signer, { ...leaf.spec, algorithm, lifetimeMs: 90 * day }, issuance());
    keepSecret(`key of ${leaf.name}`, issued.key.open());
    return [leaf.name, { leaf, ...issued }] as const;
  });
  return new Map(await Promise.all(made));
}
