import {
  addonOfManager,
  isOurs,
  markedBody,
  together,
  without,
} from '../../../controllers/clusteraddon/inventory.ts';
import { readManifests } from '../../../controllers/clusteraddon/manifests.ts';
import { ClusterAddon, type Metadata } from '../../../crds/index.ts';

const addon = ClusterAddon.parse({
  apiVersion: 'firn.dev/v1alpha1',
  kind: 'ClusterAddon',
  metadata: { name: 'web', namespace: 'demo', uid: 'u-1', resourceVersion: '1' },
  spec: { clusterRef: { name: 'demo' }, manifests: [{ inline: 'x' }] },
});
const entry = (kind: string, name: string, version = 'v1') => ({ group: '', version, kind, name });

test('the same object in another version is the same object', () => {
  expect(without([entry('A', 'x', 'v1beta1'), entry('A', 'y')], [entry('A', 'x')])).toEqual([
    entry('A', 'y'),
  ]);
  expect(together([entry('A', 'x', 'v1beta1')], [entry('A', 'x')])).toEqual([entry('A', 'x')]);
});

test('the order of manifests makes no difference', () => {
  expect(together([entry('B', 'x')], [entry('A', 'y')])).toEqual(
    together([entry('A', 'y')], [entry('B', 'x')]),
  );
});

test('labels and annotations of the manifest stay, ours are ours', () => {
  const metadata = { name: 'x', labels: { a: 'b', 'firn.dev/addon': 'other' }, annotations: { c: 'd' } };
  const [manifest] = readManifests([
    { name: 'm', text: JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata }) },
  ]);
  expect(markedBody(manifest!, addon).metadata).toEqual({
    name: 'x',
    labels: { a: 'b', 'firn.dev/addon': 'web' },
    annotations: { c: 'd', 'firn.dev/addon-uid': 'u-1' },
  });
});

test.each<[what: string, labels: Record<string, string>, annotations: Record<string, string>, ours: boolean]>(
  [
    ['ours', { 'firn.dev/addon': 'web' }, { 'firn.dev/addon-uid': 'u-1' }, true],
    ['of another addon', { 'firn.dev/addon': 'other' }, { 'firn.dev/addon-uid': 'u-1' }, false],
    ['of an addon of the same name', { 'firn.dev/addon': 'web' }, { 'firn.dev/addon-uid': 'u-0' }, false],
    ['with a label alone', { 'firn.dev/addon': 'web' }, {}, false],
  ],
)('an object %s', (_, labels, annotations, ours) => {
  expect(isOurs({ name: 'x', uid: 'u', resourceVersion: '1', labels, annotations } as Metadata, addon)).toBe(
    ours,
  );
});

test('a field manager tells of its addon', () => {
  expect(addonOfManager('firn-addon-web')).toBe('web');
  expect(addonOfManager('kubectl')).toBeUndefined();
});
