/** Secrets that hold a record of their rotation: read, made where there are none, and changed one version at a time. */
import type { ClusterPKI } from '../../crds/index.ts';
import { ReconcileError } from '../lib/core/outcome.ts';
import { Sealed } from '../lib/core/sealed.ts';
import { type Secret, SecretKind } from '../lib/kube/core-kinds.ts';
import type { Objects } from '../lib/kube/objects.ts';
import type { Context } from '../lib/runtime/controller.ts';
import { understood } from './material.ts';
import { idleRecord, printRecord, type RotationRecord, recordKey } from './record.ts';
import { pkiLabel } from './secret-names.ts';

/** What one kind of state is in a Secret. */
export type Layout<S extends { record: RotationRecord }> = {
  type: 'kubernetes.io/tls' | 'Opaque';
  /** Throws `PkiError`. */
  read(secret: Pick<Secret, 'data'>): Omit<S, 'record'> & { record: RotationRecord | null };
  data(state: S): Record<string, Sealed<string>>;
};

export type Keeper = {
  pki: ClusterPKI;
  context: Context<ClusterPKI>;
  objects: Objects;
  /** RFC 3339, in whole seconds. */
  now: string;
};

/**
 * The state in a Secret; undefined where there is none. One without a record, such as one from elsewhere, gets it now:
 * what is asked for is taken as done.
 */
export async function readKept<S extends { record: RotationRecord }>(
  keeper: Keeper,
  name: string,
  layout: Layout<S>,
  request: string | undefined,
): Promise<{ secret: Secret; state: S } | undefined> {
  const secret = await find(keeper, name);
  if (secret === undefined) return undefined;
  const { record, ...rest } = understood(secret, layout.read);
  if (record !== null) return { secret, state: { ...rest, record } as unknown as S };
  const taken = { [recordKey]: new Sealed(printRecord(idleRecord(request, keeper.now))) };
  await patch(keeper, secret, encoded(taken));
  throw new ReconcileError('progressing', 'Progressing', `Secret ${name} is taken over`, { recheckMs });
}

/** The watch tells of what was written; this is the net below it. */
const recheckMs = 2_000;

async function find({ pki, context }: Keeper, name: string): Promise<Secret | undefined> {
  try {
    return await context.read.load(SecretKind, pki.metadata.namespace ?? '', name);
  } catch (error) {
    if (error instanceof ReconcileError && error.reason === 'SecretNotFound') return undefined;
    throw error;
  }
}

/** Makes it and throws `progressing`: it is used once the watch has shown it, whoever made it. */
export async function createKept<S extends { record: RotationRecord }>(
  { pki, context, objects }: Keeper,
  name: string,
  layout: Layout<S>,
  state: S,
): Promise<never> {
  const metadata = {
    namespace: pki.metadata.namespace ?? '',
    name,
    labels: { [pkiLabel]: pki.metadata.name, 'app.kubernetes.io/managed-by': 'firn' },
  };
  const data = encoded(layout.data(state));
  const object = { metadata, type: layout.type, data };
  const made = await objects.create(SecretKind, object, context.signal);
  if (made === 'created') context.event('Normal', 'KeysCreated', `made Secret ${name}; keep a backup of it`);
  throw new ReconcileError('progressing', 'Progressing', `Secret ${name} is made`, { recheckMs });
}

/** All of the state, in place of exactly the version that was read: 409 if somebody changed it meanwhile. */
export async function writeKept<S extends { record: RotationRecord }>(
  keeper: Keeper,
  secret: Secret,
  layout: Layout<S>,
  state: S,
): Promise<void> {
  const data = encoded(layout.data(state));
  // What leaves is said to leave; what others put beside it stays.
  const gone = rotating.filter((key) => secret.data[key] !== undefined && data[key] === undefined);
  await patch(keeper, secret, { ...data, ...Object.fromEntries(gone.map((key) => [key, null])) });
}

async function patch(
  { context, objects }: Keeper,
  { metadata }: Secret,
  data: Record<string, string | null>,
): Promise<void> {
  const { namespace = '', name, resourceVersion } = metadata;
  await objects.patch(SecretKind, { namespace, name, resourceVersion }, { data }, context.signal);
}

/** Keys of data that come and go with a rotation. */
const rotating = ['next.crt', 'next.key', 'previous.crt', 'previous.key'];

const encoded = (data: Record<string, Sealed<string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, Buffer.from(value.open()).toString('base64')]),
  );
