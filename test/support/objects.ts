/** Objects of any kind of Firn, as tests read and await them. */
import type { Condition } from '../../crds/index.ts';
import type { TestCluster } from './cluster.ts';
import { rawApi } from './firn-api.ts';
import { namespace } from './fleet.ts';
import { waitFor } from './wait.ts';

export type Seen<Status> = {
  metadata: { name: string; uid: string; generation: number };
  status?: Status & { conditions?: Condition[]; observedGeneration?: number; summary?: string };
};

const apis = new WeakMap<TestCluster, ReturnType<typeof rawApi>>();

function apiOf(cluster: TestCluster): ReturnType<typeof rawApi> {
  const api = apis.get(cluster) ?? rawApi(cluster);
  apis.set(cluster, api);
  return api;
}

/** Undefined where there is none. `path` is the plural, and the group for kinds that are not Firn's. */
export async function findObject<Status>(
  cluster: TestCluster,
  plural: string,
  name: string,
): Promise<Seen<Status> | undefined> {
  const path = `/apis/firn.dev/v1alpha1/namespaces/${namespace}/${plural}/${name}`;
  const { status, body } = await apiOf(cluster).send('GET', path);
  if (status === 404) return undefined;
  if (status !== 200) throw new Error(`GET ${path}: ${status} ${body.message}`);
  return body as unknown as Seen<Status>;
}

/** Waits until the object's status is about its newest spec and fits; a failure shows the last status. */
export async function waitForObject<Status>(
  cluster: TestCluster,
  plural: string,
  name: string,
  what: string,
  fits: (object: Seen<Status>) => boolean,
  withinMs = 30_000,
): Promise<Seen<Status>> {
  let last: Seen<Status> | undefined;
  const ask = async () => {
    last = await findObject<Status>(cluster, plural, name);
    return last?.status?.observedGeneration === last?.metadata.generation && last && fits(last)
      ? last
      : undefined;
  };
  return waitFor(`${plural} ${name}: ${what}`, ask, {
    withinMs,
    everyMs: 150,
    otherwise: () => last?.status,
  });
}

const readyOf = (object: Seen<unknown>): Condition | undefined =>
  object.status?.conditions?.find(({ type }) => type === 'Ready');
export const isWell = (object: Seen<unknown>): boolean => readyOf(object)?.status === 'True';
/** Whether a cluster has given its nodes what does not need Kubernetes to run. */
export const isGrounded = ({ status }: Seen<unknown>): boolean =>
  ['Planned', 'Allocated', 'Pinned'].every(
    (type) => status?.conditions?.find((one) => one.type === type)?.status === 'True',
  );
/** Whether Ready is False for that reason. */
export const isHeldUpBy =
  (reason: string) =>
  (object: Seen<unknown>): boolean =>
    readyOf(object)?.reason === reason;
