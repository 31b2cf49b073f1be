/** Objects that controllers make for others, against a real API server: never twice, never over somebody else's change. */
import { systemClock } from '../../controllers/lib/core/clock.ts';
import { KubeClient } from '../../controllers/lib/kube/client.ts';
import { kubeConfigFrom } from '../../controllers/lib/kube/config.ts';
import { ConfigMapKind, SecretKind } from '../../controllers/lib/kube/core-kinds.ts';
import { type Objects, objectsOf } from '../../controllers/lib/kube/objects.ts';
import { newCanary } from '../support/canary.ts';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';

let cluster: TestCluster;
let client: KubeClient;
let objects: Objects;

beforeAll(async () => {
  cluster = await startTestCluster();
  client = new KubeClient(kubeConfigFrom(cluster.kubeconfig), systemClock);
  objects = objectsOf(client, { creates: [SecretKind], patches: [SecretKind], deletes: [SecretKind] });
}, 120_000);

afterAll(async () => {
  await client?.close();
  await cluster?.stop();
});

const signal = () => AbortSignal.timeout(20_000);
const base64 = (text: string) => Buffer.from(text).toString('base64');
const secret = (name: string, value: string) => ({
  metadata: { namespace: 'default', name },
  type: 'Opaque',
  data: { key: base64(value) },
});
const get = (name: string) => client.get(SecretKind, { namespace: 'default', name }, { signal: signal() });

test('what is there is left as it is', async () => {
  expect(await objects.create(SecretKind, secret('kept', 'first'), signal())).toBe('created');
  expect(await objects.create(SecretKind, secret('kept', 'second'), signal())).toBe('exists');
  expect(await get('kept')).toMatchObject({ data: { key: base64('first') } });
});

test('of many who want it first, one makes it', async () => {
  const wanted = ['a', 'b', 'c', 'd'].map((value) =>
    objects.create(SecretKind, secret('one', value), signal()),
  );
  const made = await Promise.all(wanted);
  expect(made.filter((result) => result === 'created')).toHaveLength(1);
});

test('a change is of the version that was read, or of none', async () => {
  await objects.create(SecretKind, secret('changed', 'first'), signal());
  const { resourceVersion, uid } = (await get('changed')).metadata;
  const target = { namespace: 'default', name: 'changed', resourceVersion };
  const patch = (value: string) => ({ data: { key: base64(value) }, metadata: { labels: { a: 'b' } } });
  await objects.patch(SecretKind, target, patch('second'), signal());
  await expect(objects.patch(SecretKind, target, patch('third'), signal())).rejects.toMatchObject({
    status: 409,
  });
  const seen = await get('changed');
  expect(seen).toMatchObject({ data: { key: base64('second') }, metadata: { uid, labels: { a: 'b' } } });
});

test('a deletion is of the object that was seen; one that is gone is as good', async () => {
  await objects.create(SecretKind, secret('deleted', 'first'), signal());
  const { uid } = (await get('deleted')).metadata;
  const target = { namespace: 'default', name: 'deleted' };
  const another = { ...target, uid: '00000000-0000-0000-0000-000000000000' };
  await expect(objects.delete(SecretKind, another, signal())).rejects.toMatchObject({ status: 409 });
  await objects.delete(SecretKind, { ...target, uid }, signal());
  await objects.delete(SecretKind, { ...target, uid }, signal());
  await expect(get('deleted')).rejects.toMatchObject({ status: 404 });
});

test('what is not declared is refused here, whatever the role allows', async () => {
  const map = { metadata: { namespace: 'default', name: 'undeclared' } };
  await expect(objects.create(ConfigMapKind, map, signal())).rejects.toThrow('ConfigMap is not among what');
});

test('a refusal has no content in its words', async () => {
  const canary = newCanary();
  const wrong = { ...secret('wrong', 'x'), data: { key: canary, 'not a key': canary } };
  const failure = await objects.create(SecretKind, wrong, signal()).catch((error: unknown) => error);
  expect(failure).toMatchObject({ name: 'KubeError' });
  expect(String(failure)).not.toContain(canary);
});
