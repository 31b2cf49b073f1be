/** Keys with which the API server encrypts Secrets in etcd: an EncryptionConfiguration (apiserver.config.k8s.io/v1). */
import { createHash } from 'node:crypto';
import { parse, stringify } from 'yaml';
import { Sealed } from '../lib/core/sealed.ts';
import type { Secret } from '../lib/kube/core-kinds.ts';
import { PkiError } from '../lib/pki/pki-error.ts';
import { parseRecord, printRecord, type RotationRecord, recordKey, type Stage } from './record.ts';
import { textIn } from './secret-names.ts';

/** 32 bytes in base64, for XSalsa20 and Poly1305. The name stands in clear before everything that it encrypts. */
export type EncryptionKey = { name: string; secret: Sealed<string> };

export type EncryptionState = {
  /** The first one encrypts, all decrypt. Never empty. */
  keys: readonly EncryptionKey[];
  record: RotationRecord;
};

export const encryptionStages = ['Add', 'Promote', 'Rewrite', 'Remove', 'Abort'] as const satisfies Stage[];
/** As EncryptionConfiguration names them. */
export const encryptedResources = ['secrets'] as const;
export const configKey = 'encryption-config.yaml';

export function createEncryptionKey(random: (bytes: number) => Uint8Array): EncryptionKey {
  const name = `key-${Buffer.from(random(6)).toString('hex')}`;
  return { name, secret: new Sealed(Buffer.from(random(32)).toString('base64')) };
}

/**
 * What tells one order of keys from another, by their names alone; and Abort from Add, which has the same (`trustOf` has
 * the reason). SHA-256, hex.
 */
export function encryptionFingerprint(
  keys: readonly Pick<EncryptionKey, 'name'>[],
  stage: RotationRecord['stage'] | undefined,
): string {
  const names = [...keys.map(({ name }) => name), ...(stage === 'Abort' ? [stage] : [])];
  return createHash('sha256').update(names.join('\n')).digest('hex');
}

export function encryptionData({ keys, record }: EncryptionState): Record<string, Sealed<string>> {
  const config = {
    apiVersion: 'apiserver.config.k8s.io/v1',
    kind: 'EncryptionConfiguration',
    resources: [
      {
        resources: [...encryptedResources],
        providers: [
          { secretbox: { keys: keys.map(({ name, secret }) => ({ name, secret: secret.open() })) } },
          // Reads what was written before there was a key.
          { identity: {} },
        ],
      },
    ],
  };
  return {
    [configKey]: new Sealed(`${remarks[record.stage] ?? ''}${stringify(config, { lineWidth: 0 })}`),
    [recordKey]: new Sealed(printRecord(record)),
  };
}

/** A file of its own, so that hosts take it up as a release of its own. */
const remarks: Partial<Record<RotationRecord['stage'], string>> = { Abort: '# A rotation is taken back.\n' };

/** Throws `PkiError`, in words that have nothing of the content. */
export function readEncryption(
  secret: Pick<Secret, 'data'>,
): Omit<EncryptionState, 'record'> & { config: Sealed<string>; record: RotationRecord | null } {
  const text = textIn(secret, configKey) ?? '';
  const keys = keysIn(text);
  if (keys === null || keys.length === 0 || !keys.every(isKey)) {
    throw new PkiError(`${configKey} has no secretbox keys of 32 bytes for Secrets`);
  }
  return {
    keys: keys.map(({ name, secret }) => ({ name, secret: new Sealed(secret) })),
    config: new Sealed(text),
    record: parseRecord(textIn(secret, recordKey), encryptionStages),
  };
}

type Config = {
  resources?: { providers?: { secretbox?: { keys?: { name: string; secret: string }[] } }[] }[];
};

function keysIn(text: string): { name: string; secret: string }[] | null {
  try {
    const config = parse(text) as Config | null;
    return config?.resources?.[0]?.providers?.[0]?.secretbox?.keys ?? null;
  } catch {
    return null;
  }
}

const isKey = ({ name, secret }: { name?: unknown; secret?: unknown }): boolean =>
  typeof name === 'string' &&
  /^[-a-z0-9]{1,64}$/.test(name) &&
  typeof secret === 'string' &&
  Buffer.from(secret, 'base64').length === 32;
