import { type Manifest, readManifests, sayObject } from '../../../controllers/clusteraddon/manifests.ts';
import { inStages } from '../../../controllers/clusteraddon/order.ts';
import type { ReconcileError } from '../../../controllers/lib/core/outcome.ts';

const read = (...texts: string[]): Manifest[] =>
  readManifests(texts.map((text, at) => ({ name: `manifests[${at}]`, text })));
const object = (kind: string, name: string, more: object = {}): string =>
  JSON.stringify({ apiVersion: 'v1', kind, metadata: { name, ...more } });

function refusal(...texts: string[]): { reason: string; message: string; verdict: string } {
  try {
    read(...texts);
  } catch (error) {
    const { reason, message, verdict } = error as ReconcileError;
    return { reason, message, verdict };
  }
  throw new Error('it was not refused');
}

test('objects with where they come from, lists taken apart', () => {
  const list = {
    apiVersion: 'v1',
    kind: 'List',
    items: [JSON.parse(object('Namespace', 'a')), JSON.parse(object('Namespace', 'b'))],
  };
  const found = read(`---\n${object('ConfigMap', 'x', { namespace: 'n' })}\n---\n`, JSON.stringify(list));
  expect(found.map((one) => [one.where, sayObject(one)])).toEqual([
    ['manifests[0], document 1', 'ConfigMap n/x'],
    ['manifests[1], document 1, item 1', 'Namespace a'],
    ['manifests[1], document 1, item 2', 'Namespace b'],
  ]);
});

test('what the server alone says of an object is left out', () => {
  const text = JSON.stringify({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: 'x',
      namespace: 'n',
      uid: 'u',
      resourceVersion: '1',
      managedFields: [],
      creationTimestamp: null,
      labels: { a: 'b' },
    },
    spec: { replicas: 1 },
    status: { replicas: 1 },
  });
  const [found] = read(text);
  expect(found).toMatchObject({
    group: 'apps',
    version: 'v1',
    kind: 'Deployment',
    namespace: 'n',
    name: 'x',
  });
  expect(found?.body).toEqual({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'x', namespace: 'n', labels: { a: 'b' } },
    spec: { replicas: 1 },
  });
});

test.each<[what: string, text: string, reason: string, message: RegExp]>([
  ['no YAML', 'a: [', 'ManifestUnreadable', /^manifests\[0\] cannot be read: /],
  [
    'no object',
    '[]',
    'ManifestInvalid',
    /document 1 is not an object of Kubernetes: the document is no mapping/,
  ],
  ['no apiVersion', '{"kind":"A","metadata":{"name":"x"}}', 'ManifestInvalid', /has no apiVersion/],
  [
    'an apiVersion with a path in it',
    '{"apiVersion":"../v1","kind":"A","metadata":{"name":"x"}}',
    'ManifestInvalid',
    /has no apiVersion/,
  ],
  ['no kind', '{"apiVersion":"v1","metadata":{"name":"x"}}', 'ManifestInvalid', /has no kind/],
  ['no metadata', '{"apiVersion":"v1","kind":"A"}', 'ManifestInvalid', /metadata of the A is no mapping/],
  [
    'a generated name',
    object('Pod', '', { generateName: 'x-' }),
    'ManifestInvalid',
    /without a metadata\.name/,
  ],
  [
    'a name that leads elsewhere',
    object('ConfigMap', '..', { namespace: 'n' }),
    'ManifestInvalid',
    /metadata\.name/,
  ],
  [
    'a name with a path in it',
    object('ConfigMap', 'a/b', { namespace: 'n' }),
    'ManifestInvalid',
    /metadata\.name/,
  ],
  [
    'a namespace that is none',
    object('ConfigMap', 'a', { namespace: 'n/x' }),
    'ManifestInvalid',
    /metadata\.namespace/,
  ],
  [
    'labels that are none',
    object('ConfigMap', 'a', { labels: 'x' }),
    'ManifestInvalid',
    /labels of the ConfigMap is no mapping/,
  ],
  ['nothing', '---\n---\n', 'ManifestsEmpty', /there is no object/],
  ['an empty list', '{"apiVersion":"v1","kind":"List","items":[]}', 'ManifestsEmpty', /there is no object/],
  [
    'too many',
    Array.from({ length: 501 }, (_, at) => object('Namespace', `n${at}`)).join('\n---\n'),
    'ManifestsTooLarge',
    /501 objects, and 500 are the most/,
  ],
  ['too much', `# ${'x'.repeat(9 * 1024 * 1024)}`, 'ManifestsTooLarge', /10 MiB|9 MiB/],
  [
    'one twice',
    `${object('Namespace', 'a')}\n---\n${object('Namespace', 'a')}`,
    'ManifestInvalid',
    /document 2 has Namespace a, and so has manifests\[0\], document 1/,
  ],
])('%s is refused until it changes', (_, text, reason, message) => {
  const said = refusal(text);
  expect(said).toMatchObject({ reason, verdict: 'terminal' });
  expect(said.message).toMatch(message);
});

test('names of RBAC have colons', () => {
  const [found] = read(
    '{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{"name":"system:x"}}',
  );
  expect(found?.name).toBe('system:x');
});

test('what others need comes first, what can stop others last; within a stage the order stays', () => {
  const typed = (kind: string, group = '') => ({ kind, group });
  const objects = [
    typed('ValidatingWebhookConfiguration', 'admissionregistration.k8s.io'),
    typed('Widget', 'example.com'),
    typed('Deployment', 'apps'),
    typed('Service'),
    typed('ConfigMap'),
    typed('ClusterRoleBinding', 'rbac.authorization.k8s.io'),
    typed('CustomResourceDefinition', 'apiextensions.k8s.io'),
    typed('Namespace'),
    // Of another group, it is none of Kubernetes' own.
    typed('Namespace', 'example.com'),
  ];
  expect(inStages(objects).map((stage) => stage.map(({ kind }) => kind))).toEqual([
    ['Namespace'],
    ['CustomResourceDefinition'],
    ['ClusterRoleBinding'],
    ['Service', 'ConfigMap'],
    ['Deployment'],
    ['Widget', 'Namespace'],
    ['ValidatingWebhookConfiguration'],
  ]);
});
