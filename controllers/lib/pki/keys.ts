import {
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  type KeyObject,
  type webcrypto,
} from 'node:crypto';
import { promisify } from 'node:util';
import { Sealed } from '../core/sealed.ts';
import { PkiError } from './pki-error.ts';

/** The algorithms that every component of Kubernetes, etcd and HAProxy accepts. */
export const keyAlgorithms = ['ECDSA-P256', 'ECDSA-P384', 'RSA-2048', 'RSA-4096'] as const;
export type KeyAlgorithm = (typeof keyAlgorithms)[number];

type Algorithm =
  | { family: 'ec'; curve: string; webName: string; hash: string }
  | { family: 'rsa'; modulusLength: number; hash: string };

const algorithms: Record<KeyAlgorithm, Algorithm> = {
  'ECDSA-P256': { family: 'ec', curve: 'prime256v1', webName: 'P-256', hash: 'SHA-256' },
  'ECDSA-P384': { family: 'ec', curve: 'secp384r1', webName: 'P-384', hash: 'SHA-384' },
  'RSA-2048': { family: 'rsa', modulusLength: 2048, hash: 'SHA-256' },
  'RSA-4096': { family: 'rsa', modulusLength: 4096, hash: 'SHA-256' },
};

const generate = promisify(generateKeyPair) as (
  type: string,
  options: object,
) => Promise<{ privateKey: KeyObject }>;

/** A new private key as PKCS#8 PEM. The randomness is the kernel's: keys are not reproducible on purpose. */
export async function generateKey(algorithm: KeyAlgorithm): Promise<Sealed<string>> {
  const how = algorithms[algorithm];
  const { privateKey } =
    how.family === 'ec'
      ? await generate('ec', { namedCurve: how.curve })
      : await generate('rsa', { modulusLength: how.modulusLength, publicExponent: 0x10001 });
  const key = new Sealed(privateKey.export({ type: 'pkcs8', format: 'pem' }) as string);
  parsed.set(key, privateKey);
  return key;
}

/** The public half as SubjectPublicKeyInfo PEM. Throws `PkiError` on what is not a private key. */
export function publicKeyOf(key: Sealed<string>): string {
  return createPublicKey(readKey(key)).export({ type: 'spki', format: 'pem' }) as string;
}

/** Throws `PkiError` on a key of an algorithm that is not in `keyAlgorithms`. */
export function algorithmOf(key: Sealed<string>): KeyAlgorithm {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details = {} } = readKey(key);
  const found = keyAlgorithms.find((name) => {
    const how = algorithms[name];
    return how.family === 'ec'
      ? type === 'ec' && details.namedCurve === how.curve
      : type === 'rsa' && details.modulusLength === how.modulusLength;
  });
  if (found === undefined) {
    const seen = details.namedCurve ?? (details.modulusLength && `${details.modulusLength} bits`) ?? '';
    throw new PkiError(`a key of kind ${`${type} ${seen}`.trim()}; usable are ${keyAlgorithms.join(', ')}`);
  }
  return found;
}

/** For signing certificates: the key and the hash that goes with it (RFC 5758 for ECDSA). */
export function signingKey(key: Sealed<string>): { key: webcrypto.CryptoKey; hash: string } {
  const how = algorithms[algorithmOf(key)];
  const web =
    how.family === 'ec'
      ? { name: 'ECDSA', namedCurve: how.webName }
      : { name: 'RSASSA-PKCS1-v1_5', hash: how.hash };
  return { key: readKey(key).toCryptoKey(web, false, ['sign']), hash: how.hash };
}

/** To read a key from its text takes longer than to sign with it; what was read lives as long as what it was read from. */
const parsed = new WeakMap<Sealed<string>, KeyObject>();

function readKey(key: Sealed<string>): KeyObject {
  const known = parsed.get(key);
  if (known) return known;
  const read = parseKey(key);
  parsed.set(key, read);
  return read;
}

/** PKCS#8, PKCS#1 and SEC 1 are read; what OpenSSL says about a bad one holds no key material. */
function parseKey(key: Sealed<string>): KeyObject {
  try {
    return createPrivateKey(key.open());
  } catch (cause) {
    throw new PkiError('not a private key in PEM (PKCS#8, PKCS#1 or SEC 1, not encrypted)', { cause });
  }
}
