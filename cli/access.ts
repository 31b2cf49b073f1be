/** ClusterAccesses as the CLI needs them: found, made for whoever asks, and waited for. */
import { setTimeout as sleep } from 'node:timers/promises';
import { SecretKind } from '../controllers/lib/kube/core-kinds.ts';
import { isNotFound, KubeError } from '../controllers/lib/kube/kube-error.ts';
import { ClusterAccess, type Condition, NixCluster } from '../crds/index.ts';
import { CliError } from './command.ts';
import type { Connection } from './connect.ts';
import { type Entry, readEntry } from './kubeconfig-entry.ts';
import { printable } from './terminal.ts';

const deadlineMs = 15_000;

/** Throws `CliError` where there is none. */
async function getAccess(
  { client, namespace }: Connection,
  name: string,
  signal: AbortSignal,
): Promise<ClusterAccess> {
  try {
    return ClusterAccess.parse(await client.get(ClusterAccess, { namespace, name }, { signal, deadlineMs }));
  } catch (error) {
    if (!isNotFound(error)) throw error;
    throw new CliError(
      `there is no ClusterAccess ${name} in namespace ${namespace}; -n names another namespace, --cluster makes one`,
    );
  }
}

export type Request = {
  cluster: string;
  user: string;
  groups: readonly string[];
  lifetime: string | undefined;
};

/** One that is there already is taken if it says the same. `made`: it was not. */
export async function ensureAccess(
  connection: Connection,
  name: string,
  request: Request,
  signal: AbortSignal,
): Promise<{ access: ClusterAccess; made: boolean }> {
  const { client, namespace } = connection;
  await requireCluster(connection, request.cluster, signal);
  const object = accessFor(namespace, name, request);
  try {
    const made = await client.create(ClusterAccess, object, { signal, deadlineMs });
    return { access: ClusterAccess.parse(made), made: true };
  } catch (error) {
    if (!(error instanceof KubeError && error.reason === 'AlreadyExists')) throw error;
  }
  const access = await getAccess(connection, name, signal);
  if (!saysTheSame(access, request)) {
    const { clusterRef, user } = access.spec;
    throw new CliError(
      `there is a ClusterAccess ${name} already, for ${user} of NixCluster ${clusterRef.name}, with other groups or lifetime perhaps; give another NAME`,
    );
  }
  return { access, made: false };
}

async function requireCluster(
  { client, namespace }: Connection,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  try {
    await client.get(NixCluster, { namespace, name }, { signal, deadlineMs });
  } catch (error) {
    if (!isNotFound(error)) throw error;
    throw new CliError(
      `there is no NixCluster ${name} in namespace ${namespace}; -n names another namespace`,
    );
  }
}

function accessFor(namespace: string, name: string, { cluster, user, groups, lifetime }: Request) {
  const object = {
    apiVersion: 'firn.dev/v1alpha1',
    kind: 'ClusterAccess',
    metadata: { namespace, name },
    spec: {
      clusterRef: { name: cluster },
      user,
      groups: [...groups],
      ...(lifetime === undefined ? {} : { lifetime }),
      secretName: `${name}-kubeconfig`,
    },
  };
  try {
    // The API server refuses it too; its words are not for terminals, since they quote.
    ClusterAccess.parse({
      ...object,
      metadata: { ...object.metadata, uid: 'not-made', resourceVersion: '0' },
    });
  } catch (error) {
    throw new CliError((error as Error).message);
  }
  return object;
}

function saysTheSame({ spec }: ClusterAccess, { cluster, user, groups, lifetime }: Request): boolean {
  return (
    spec.clusterRef.name === cluster &&
    spec.user === user &&
    JSON.stringify([...spec.groups].sort()) === JSON.stringify([...groups].sort()) &&
    (lifetime === undefined || spec.lifetime === lifetime)
  );
}

const pollMs = 500;
const waitMs = 60_000;
/** What is in the way passes by itself, or it does not. */
const stuckMs = 5_000;

/** What its Secret holds, as soon as that is what the object asks for. Throws `CliError` where that does not come. */
export async function waitForEntry(
  connection: Connection,
  name: string,
  signal: AbortSignal,
): Promise<{ entry: Entry; notes: string[] }> {
  const begun = Date.now();
  for (;;) {
    const access = await getAccess(connection, name, signal);
    const issued = isCurrent(access) ? conditionIn(access, 'Issued') : undefined;
    const found = issued?.status === 'True' ? await readSecret(connection, access, signal) : undefined;
    if (found) return found;
    const stuck = issued?.status === 'False' && issued.reason !== 'Progressing';
    const waitedMs = Date.now() - begun;
    if (stuck && waitedMs > stuckMs) throw new CliError(printable(issued.message || issued.reason));
    if (waitedMs > waitMs)
      throw new CliError(`nothing has made the kubeconfig of ${name} yet; is the operator running?`);
    await sleep(pollMs, undefined, { signal });
  }
}

const conditionIn = ({ status }: ClusterAccess, type: string): Condition | undefined =>
  status?.conditions?.find((condition) => condition.type === type);

const isCurrent = ({ metadata, status }: ClusterAccess): boolean =>
  (status?.observedGeneration ?? 0) >= (metadata.generation ?? 1);

/** Undefined where somebody has deleted it: the operator makes it again. */
async function readSecret(
  { client, namespace }: Connection,
  access: ClusterAccess,
  signal: AbortSignal,
): Promise<{ entry: Entry; notes: string[] } | undefined> {
  const name = access.status?.secretName ?? access.spec.secretName;
  const raw = await client.get(SecretKind, { namespace, name }, { signal, deadlineMs }).catch(unlessNotFound);
  if (!raw) return undefined;
  const secret = SecretKind.parse(raw);
  const text = new TextDecoder().decode(secret.data.kubeconfig?.open() ?? new Uint8Array());
  const bound = conditionIn(access, 'Bound');
  const notes = bound?.reason === 'NotBound' ? [printable(bound.message)] : [];
  return { entry: readEntry(text), notes };
}

function unlessNotFound(error: unknown): undefined {
  if (!isNotFound(error)) throw error;
}
