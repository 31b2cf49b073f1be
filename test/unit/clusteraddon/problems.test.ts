import { readManifests } from '../../../controllers/clusteraddon/manifests.ts';
import { problemOf, throwProblems } from '../../../controllers/clusteraddon/problems.ts';
import { Sealed } from '../../../controllers/lib/core/sealed.ts';
import type { Taken } from '../../../controllers/lib/kube/any-objects.ts';
import type { CacheReader } from '../../../controllers/lib/runtime/controller.ts';
import { ClusterAddon } from '../../../crds/index.ts';

const addonOf = (name: string) =>
  ClusterAddon.parse({
    apiVersion: 'firn.dev/v1alpha1',
    kind: 'ClusterAddon',
    metadata: { name, namespace: 'demo', uid: `uid-${name}`, resourceVersion: '1' },
    spec: { clusterRef: { name: 'demo' }, manifests: [{ inline: 'x' }] },
  });

const about = (kind: string, others: string[] = []) => {
  const text = JSON.stringify({ apiVersion: 'v1', kind, metadata: { name: 'x', namespace: 'n' } });
  const [manifest] = readManifests([{ name: 'manifests[0]', text }]);
  const get = (_: unknown, __: string, name: string) => (others.includes(name) ? addonOf(name) : undefined);
  return { manifest: manifest!, addon: addonOf('web'), read: { get } as unknown as CacheReader };
};
const refused = (status: number, words: string): Exclude<Taken, { outcome: 'applied' }> => ({
  outcome: 'refused',
  status,
  summary: `PATCH /x: ${status} Invalid (data)`,
  words: new Sealed(words),
});
const conflict = (...managers: string[]): Exclude<Taken, { outcome: 'applied' }> => ({
  outcome: 'conflict',
  conflicts: managers.map((manager, at) => ({ field: `.data.f${at}`, manager })),
});

test('the words of the server are told', () => {
  expect(problemOf(refused(422, 'x is invalid: "value"'), about('ConfigMap'))).toEqual({
    reason: 'ObjectRefused',
    verdict: 'waiting',
    message: 'manifests[0], document 1: ConfigMap n/x: 422 x is invalid: "value"',
  });
});

test('but not of a Secret, and never without end', () => {
  const { message } = problemOf(refused(422, 'x is invalid: "canary"'), about('Secret'));
  expect(message).toBe('manifests[0], document 1: Secret n/x: 422 PATCH /x: 422 Invalid (data)');
  expect(problemOf(refused(422, 'y'.repeat(9_000)), about('ConfigMap')).message.length).toBeLessThan(700);
});

test.each([
  [500, 'transient'],
  [503, 'transient'],
  [429, 'transient'],
  [403, 'waiting'],
])('%s is %s', (status, verdict) => {
  expect(problemOf(refused(status, 'no'), about('ConfigMap')).verdict).toBe(verdict);
});

test('who keeps which field', () => {
  expect(problemOf(conflict('kubectl', 'helm'), about('ConfigMap'))).toMatchObject({
    reason: 'FieldConflict',
    message: expect.stringContaining('others keep .data.f0 (kubectl), .data.f1 (helm)'),
  });
});

test('another addon that is there is told by its name; what is left of one that is gone is nobody’s', () => {
  expect(problemOf(conflict('kubectl', 'firn-addon-other'), about('ConfigMap', ['other']))).toMatchObject({
    reason: 'ObjectShared',
    message: expect.stringContaining('ClusterAddon other has it'),
  });
  expect(problemOf(conflict('firn-addon-other'), about('ConfigMap'))).toMatchObject({
    reason: 'FieldConflict',
  });
});

test('the first of several gives the reason, and all are told', () => {
  const [one, two] = [
    problemOf(conflict('a'), about('ConfigMap')),
    problemOf(refused(403, 'no'), about('Secret')),
  ];
  const thrown = (() => {
    try {
      return throwProblems([one, two]);
    } catch (error) {
      return error;
    }
  })();
  expect(thrown).toMatchObject({ reason: 'FieldConflict', message: `${one.message}; ${two.message}` });
});
