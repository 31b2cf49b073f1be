import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Sealed } from '../controllers/lib/core/sealed.ts';
import { type Authority, createAuthority, parseAuthority } from '../controllers/lib/pki/authority.ts';
import type { Issuance } from '../controllers/lib/pki/certificate.ts';
import { issueLeaf, type KeyedCertificate } from '../controllers/lib/pki/leaf.ts';
import { createServiceAccountKeys } from '../controllers/lib/pki/service-account.ts';
import { writePrivate } from './private-file.ts';

/** Files of the data folder that etcd and the API server read; relative to it. */
export const identityFiles = {
  authority: 'pki/ca.crt',
  authorityKey: 'pki/ca.key',
  serving: 'pki/apiserver.crt',
  servingKey: 'pki/apiserver.key',
  serviceAccount: 'pki/sa.pub',
  serviceAccountKey: 'pki/sa.key',
} as const;

const year = 365 * 86_400_000;

/**
 * Lays down what the API server needs to be trusted, and returns a certificate with which it obeys. The authority and
 * the service-account key stay over restarts; leaf certificates are made anew at each start.
 */
export async function ensureIdentity(
  directory: string,
): Promise<{ authority: string; admin: KeyedCertificate }> {
  mkdirSync(join(directory, 'pki'), { recursive: true, mode: 0o700 });
  const issuance: Issuance = { now: Date.now(), random: randomBytes };
  const authority = await ensureAuthority(directory, issuance);
  await ensureServiceAccountKeys(directory);
  const serving = await issueLeaf(
    authority,
    {
      commonName: 'kube-apiserver',
      dnsNames: ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc'],
      ipAddresses: ['127.0.0.1', '::1', '10.96.0.1'],
      ends: ['server auth'],
      algorithm: 'ECDSA-P256',
      lifetimeMs: year,
    },
    issuance,
  );
  writePrivate(directory, identityFiles.serving, serving.certificate);
  writePrivate(directory, identityFiles.servingKey, serving.key.open());
  const admin = await issueLeaf(
    authority,
    {
      commonName: 'firn-admin',
      organizations: ['system:masters'],
      ends: ['client auth'],
      algorithm: 'ECDSA-P256',
      lifetimeMs: year,
    },
    issuance,
  );
  return { authority: authority.certificate, admin };
}

/** The key is written first: a certificate that is there has its key. */
async function ensureAuthority(directory: string, issuance: Issuance): Promise<Authority> {
  if (existsSync(join(directory, identityFiles.authority))) {
    const key = new Sealed(read(directory, identityFiles.authorityKey));
    return parseAuthority(read(directory, identityFiles.authority), key);
  }
  const spec = { commonName: 'firn-bootstrap', algorithm: 'ECDSA-P256' as const, lifetimeMs: 10 * year };
  const authority = await createAuthority(spec, issuance);
  writePrivate(directory, identityFiles.authorityKey, authority.key.open());
  writePrivate(directory, identityFiles.authority, authority.certificate);
  return authority;
}

async function ensureServiceAccountKeys(directory: string): Promise<void> {
  if (existsSync(join(directory, identityFiles.serviceAccount))) return;
  const keys = await createServiceAccountKeys('ECDSA-P256');
  writePrivate(directory, identityFiles.serviceAccountKey, keys.key.open());
  writePrivate(directory, identityFiles.serviceAccount, keys.publicKey);
}

const read = (directory: string, file: string): string => readFileSync(join(directory, file), 'utf8');
