/** What is followed for a primary, where its cluster is another one all of a sudden. */

import { systemClock } from '../../../controllers/lib/core/clock.ts';
import type { KubeClient } from '../../../controllers/lib/kube/client.ts';
import { createLogger } from '../../../controllers/lib/runtime/log.ts';
import { Labelled } from '../../../controllers/lib/target/labelled.ts';
import { ClusterAddon } from '../../../crds/index.ts';

/** Never answers; `followed` is how many kinds are being followed through it. */
function silentClient(): { client: KubeClient; followed: () => number } {
  const signals: AbortSignal[] = [];
  const list = (_kind: unknown, { signal }: { signal: AbortSignal }) => {
    signals.push(signal);
    return new Promise(() => undefined);
  };
  return {
    client: { list } as unknown as KubeClient,
    followed: () => signals.filter(({ aborted }) => !aborted).length,
  };
}

const served = (plural: string) => ({ ...ClusterAddon, plural, verbs: ['watch'] });
const primary = { namespace: 'demo', name: 'dns' };
const other = { namespace: 'demo', name: 'ingress' };

const create = (): Labelled =>
  new Labelled({
    label: 'firn.dev/addon',
    clock: systemClock,
    random: () => 0,
    log: createLogger({ level: 'silent' }),
  });

test('leaves the cluster whose place a namesake has taken, with the last one that is in it', () => {
  const [former, latter] = [silentClient(), silentClient()];
  const labelled = create();
  for (const one of [primary, other])
    labelled.follow({ ...one, cluster: 'old' }, former.client, [served('a')]);
  expect(former.followed()).toBe(1);

  expect(labelled.follow({ ...primary, cluster: 'new' }, latter.client, [served('a')])).toBe(true);
  expect([former.followed(), latter.followed()]).toEqual([1, 1]);
  labelled.follow({ ...other, cluster: 'new' }, latter.client, [served('a'), served('b')]);
  expect([former.followed(), latter.followed()]).toEqual([0, 2]);

  labelled.forget(other);
  expect(latter.followed()).toBe(1);
  labelled.forget(primary);
  expect(latter.followed()).toBe(0);
});
