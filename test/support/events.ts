import type { TestCluster } from './cluster.ts';
import { rawApi } from './firn-api.ts';
import { namespace } from './fleet.ts';
import { waitFor } from './wait.ts';

/** What `kubectl describe` shows of an event. */
export type SeenEvent = { type: string; reason: string; note: string };

type RawEvent = SeenEvent & { regarding: { name: string } };

/** Events about the NixNode, in no particular order. They outlive it. */
export async function eventsOf(cluster: TestCluster, name: string): Promise<SeenEvent[]> {
  await using api = rawApi(cluster);
  const path = `/apis/events.k8s.io/v1/namespaces/${namespace}/events`;
  const { status, body } = await api.send('GET', path);
  if (status !== 200) throw new Error(`GET ${path}: ${status} ${body.message}`);
  const { items } = body as unknown as { items: RawEvent[] };
  return items
    .filter(({ regarding }) => regarding.name === name)
    .map(({ type, reason, note }) => ({ type, reason, note }));
}

/** Events are written in the background, a little later than what they are about. */
export const waitForEvent = (cluster: TestCluster, name: string, reason: string): Promise<SeenEvent> => {
  let all: SeenEvent[] = [];
  const ask = async () => {
    all = await eventsOf(cluster, name);
    return all.find((event) => event.reason === reason);
  };
  return waitFor(`${name}: event ${reason}`, ask, { withinMs: 60_000, everyMs: 300, otherwise: () => all });
};
