import type { Sealed } from '../core/sealed.ts';
import { generateKey, type KeyAlgorithm, publicKeyOf } from './keys.ts';

/** What the API server signs ServiceAccount tokens with, and what verifies them (PEM, PKCS#8 and SPKI). */
export type ServiceAccountKeys = { readonly key: Sealed<string>; readonly publicKey: string };

export async function createServiceAccountKeys(algorithm: KeyAlgorithm): Promise<ServiceAccountKeys> {
  const key = await generateKey(algorithm);
  return { key, publicKey: publicKeyOf(key) };
}
