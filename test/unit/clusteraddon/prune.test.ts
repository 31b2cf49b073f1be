import { takeAway } from '../../../controllers/clusteraddon/prune.ts';
import type { There } from '../../../controllers/clusteraddon/visit.ts';
import type { ServedKind, ServedKinds } from '../../../controllers/lib/kube/served-kinds.ts';
import { ClusterAddon, type KubeObject, type Metadata } from '../../../crds/index.ts';

const addon = ClusterAddon.parse({
  apiVersion: 'firn.dev/v1alpha1',
  kind: 'ClusterAddon',
  metadata: { name: 'web', namespace: 'demo', uid: 'u-1', resourceVersion: '1' },
  spec: { clusterRef: { name: 'demo' }, manifests: [{ inline: 'x' }] },
});
const object = { group: 'example.com', version: 'v1', kind: 'Widget', namespace: 'w', name: 'a' };
const widget: ServedKind = {
  ...{ group: 'example.com', version: 'v1', kind: 'Widget', plural: 'widgets', namespaced: true },
  verbs: [],
  parse: (raw) => raw as KubeObject,
};
const serving = (...kinds: ServedKind[]): ServedKinds => ({
  find: (_group, _version, kind) => kinds.find((one) => one.kind === kind),
  findAny: (_group, kind) => kinds.find((one) => one.kind === kind),
});

/** A cluster with one Widget of the addon. `asked`: how its kinds were, one time after the other. */
function clusterWith(kinds: { known: ServedKinds; fresh: ServedKinds }) {
  let found: Metadata | undefined = {
    ...{ namespace: 'w', name: 'a', uid: 'w-1', resourceVersion: '1' },
    labels: { 'firn.dev/addon': 'web' },
    annotations: { 'firn.dev/addon-uid': 'u-1' },
  };
  const asked: string[] = [];
  const there = {
    kinds: async (age: 'known' | 'fresh') => {
      asked.push(age);
      return kinds[age];
    },
    look: async () => found,
    remove: async () => {
      found = undefined;
    },
  } as unknown as There;
  return { there, asked, isThere: () => found !== undefined };
}

const contextOf = () => ({ signal: new AbortController().signal, event: () => undefined }) as never;

test.each([
  ['that is known', { known: serving(widget), fresh: serving() }, ['known']],
  ['that came after it was asked', { known: serving(), fresh: serving(widget) }, ['known', 'fresh']],
])('an object of a kind %s is deleted', async (_, kinds, times) => {
  const { there, asked, isThere } = clusterWith(kinds);
  await takeAway({ addon, context: contextOf(), there }, [object]);
  expect({ isThere: isThere(), asked }).toEqual({ isThere: false, asked: times });
});

test('what is of no kind that is served any more is gone', async () => {
  const { there, isThere } = clusterWith({ known: serving(), fresh: serving() });
  await takeAway({ addon, context: contextOf(), there }, [object]);
  expect(isThere()).toBe(true);
});
