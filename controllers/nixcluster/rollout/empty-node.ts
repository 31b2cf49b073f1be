/** Closes a Node of a target cluster, empties and opens it again. Each call does what can be done now; none waits. */
import { timestamp } from '../../lib/core/timestamp.ts';
import type { KubeClient } from '../../lib/kube/client.ts';
import { isNotFound, KubeError } from '../../lib/kube/kube-error.ts';
import {
  type CordonedNode,
  closedLabel,
  closedSince,
  closing,
  isNoticed,
  opening,
  readNode,
} from './cordon.ts';
import {
  budgetsOf,
  type DrainPolicy,
  isEnding,
  isLate,
  isOverdue,
  leftSays,
  mustLeave,
  type Pod,
  readBudgets,
  readPods,
  type Stays,
} from './drain.ts';

export type Api = { client: KubeClient; signal: AbortSignal; now: number };

/** `says` which pods are left, and why. `overdue`: it took longer than it may, and does not go on by itself. */
export type Emptied = { empty: boolean; overdue: boolean; says: string };

const deadlineMs = 15_000;
/** Evictions under way at a time: a node has a hundred pods, and the API server other work. */
const atOnce = 8;
const mergePatch = 'application/merge-patch+json';
const pathOfNode = (name: string): string => `/api/v1/nodes/${encodeURIComponent(name)}`;

/** All Nodes that are closed by us. */
export async function closedNodes({ client, signal }: Api): Promise<CordonedNode[]> {
  const query = { labelSelector: closedLabel };
  const list = (await client.raw('GET', '/api/v1/nodes', { query, signal, deadlineMs })) as {
    items?: unknown[];
  };
  return (list.items ?? []).map(readNode);
}

/** Undefined where there is none. */
async function findNode(name: string, { client, signal }: Api): Promise<CordonedNode | undefined> {
  try {
    return readNode(await client.raw('GET', pathOfNode(name), { signal, deadlineMs }));
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

async function change(
  node: CordonedNode,
  patch: object | null,
  { client, signal }: Api,
): Promise<CordonedNode> {
  if (patch === null) return node;
  const options = { body: patch, contentType: mergePatch, signal, deadlineMs };
  return readNode(await client.raw('PATCH', pathOfNode(node.metadata.name), options));
}

/** Throws `KubeError`: a conflict where somebody changed the Node meanwhile, and the next visit sees how. */
export async function openNode(node: CordonedNode, api: Api): Promise<void> {
  await change(node, opening(node), api);
}

const unnoticed = 'no controller manager has noticed it yet, which is to replace its pods';

export async function emptyNode(name: string, policy: DrainPolicy, api: Api): Promise<Emptied> {
  const found = await findNode(name, api);
  if (!found) return { empty: true, overdue: false, says: '' };
  const node = await change(found, closing(found, timestamp(api.now)), api);
  const overdue = isOverdue(closedSince(node) ?? api.now, api.now, policy);
  const pods = (await podsOf(name, api)).filter(mustLeave);
  // While control planes change there are moments without one: Services would send to pods that are gone.
  if (!isNoticed(node) && !overdue && pods.some((pod) => !isEnding(pod)))
    return { empty: false, overdue: false, says: unnoticed };
  const isForced = overdue && policy.budgets === 'Ignore';
  const left = await inTurns(pods, (pod) => takeOff(pod, isForced, api));
  const stays = await withBudgets(
    left.filter((one) => one !== undefined),
    api,
  );
  // Who does not wait for budgets does not wait for pods either that should have ended by now.
  const holds = isForced
    ? stays.filter(({ pod, because }) => because !== undefined || !isLate(pod, api.now))
    : stays;
  if (holds.length === 0) return { empty: true, overdue: false, says: '' };
  return { empty: false, overdue, says: leftSays(holds) };
}

async function podsOf(name: string, { client, signal }: Api): Promise<Pod[]> {
  const query = { fieldSelector: `spec.nodeName=${name}` };
  return readPods(await client.raw('GET', '/api/v1/pods', { query, signal, deadlineMs }));
}

async function inTurns<A, B>(items: readonly A[], work: (item: A) => Promise<B>): Promise<B[]> {
  const done: B[] = [];
  for (let from = 0; from < items.length; from += atOnce)
    done.push(...(await Promise.all(items.slice(from, from + atOnce).map(work))));
  return done;
}

const budgetHolds = 'a PodDisruptionBudget';

/** Undefined where it is gone. A namesake that came after it is not touched: its UID is another. */
async function takeOff(pod: Pod, isForced: boolean, { client, signal }: Api): Promise<Stays | undefined> {
  if (isEnding(pod)) return { pod, because: undefined };
  const { namespace, name, uid } = pod.metadata;
  const path = `/api/v1/namespaces/${namespace}/pods/${name}`;
  const preconditions = { uid };
  const eviction = {
    apiVersion: 'policy/v1',
    kind: 'Eviction',
    metadata: { namespace, name },
    deleteOptions: { preconditions },
  };
  try {
    if (isForced) await client.raw('DELETE', path, { body: { preconditions }, signal, deadlineMs });
    else await client.raw('POST', `${path}/eviction`, { body: eviction, signal, deadlineMs });
    return { pod, because: undefined };
  } catch (error) {
    if (!(error instanceof KubeError) || error.status === 0) throw error;
    if (error.status === 404) return undefined;
    const because =
      error.status === 429 ? budgetHolds : `its eviction is refused: ${error.status} ${error.reason}`;
    return { pod, because };
  }
}

/** Names the budgets: the API server's own words are not passed on, and name one of them alone. */
async function withBudgets(left: readonly Stays[], { client, signal }: Api): Promise<Stays[]> {
  const held = left.filter(({ because }) => because === budgetHolds);
  const namespaces = [...new Set(held.map(({ pod }) => pod.metadata.namespace))];
  const budgets = new Map(
    await inTurns(namespaces, async (namespace) => {
      const path = `/apis/policy/v1/namespaces/${namespace}/poddisruptionbudgets`;
      return [namespace, readBudgets(await client.raw('GET', path, { signal, deadlineMs }))] as const;
    }),
  );
  return left.map((one) => {
    if (one.because !== budgetHolds) return one;
    const names = budgetsOf(one.pod, budgets.get(one.pod.metadata.namespace) ?? []);
    return names.length > 0 ? { ...one, because: `PodDisruptionBudget ${names.join(' and ')}` } : one;
  });
}

/** One that is gone is as good. What still runs there, if anything does, is nobody's any more. */
export async function deleteNode(name: string, { client, signal }: Api): Promise<void> {
  try {
    await client.raw('DELETE', pathOfNode(name), { signal, deadlineMs });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
