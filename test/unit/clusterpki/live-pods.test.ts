import { type Pod, podsGate, type RootConfigMap } from '../../../controllers/clusterpki/live-pods.ts';

const pem = (name: string) => `-----BEGIN CERTIFICATE-----\n${name}\n-----END CERTIFICATE-----\n`;
const trust = [pem('AAAA'), pem('BBBB')];
const configMap = (
  namespace: string,
  time = '2026-11-21T10:00:00Z',
  text = trust.join(''),
): RootConfigMap => ({
  metadata: {
    namespace,
    name: 'kube-root-ca.crt',
    creationTimestamp: '2026-01-01T00:00:00Z',
    managedFields: [{ time }],
  },
  data: { 'ca.crt': text },
});
const projected = {
  volumes: [{ projected: { sources: [{ configMap: { name: 'kube-root-ca.crt' } }] } }],
};
const pod = (name: string, created: string, started = created, more: Pod = {}): Pod => ({
  metadata: { namespace: 'shop', name, creationTimestamp: created },
  spec: projected,
  status: { phase: 'Running', containerStatuses: [{ state: { running: { startedAt: started } } }] },
  ...more,
});
const before = '2026-11-21T09:00:00Z';
const after = '2026-11-21T10:05:00Z';
const saidOf = (...given: Parameters<typeof podsGate>) => {
  const gate = podsGate(...given);
  return gate.open ? null : gate.waitsFor;
};

test('pods that were started before are named, and what to do about them', () => {
  const said = saidOf(trust, [configMap('shop')], [pod('new', after), pod('old', before)]);
  expect(said).toContain(
    '1 pods that were started before the new authority was trusted: shop/old; restart them',
  );
});

test('none are left when all were created or restarted since', () => {
  expect(saidOf(trust, [configMap('shop')], [pod('a', after), pod('b', before, after)])).toBeNull();
});

test('a container that was restarted before its volume can be up to date does not count', () => {
  expect(saidOf(trust, [configMap('shop')], [pod('b', before, '2026-11-21T10:01:00Z')])).toContain('shop/b');
});

test.each<[string, Pod]>([
  ['is over', { status: { phase: 'Succeeded' } }],
  ['does not read it', { spec: { volumes: [{ configMap: { name: 'settings' } }] } }],
  ['has not begun', { status: { phase: 'Pending', containerStatuses: [{ state: {} }] } }],
])('a pod that %s is not waited for', (_, more) => {
  expect(saidOf(trust, [configMap('shop')], [pod('a', before, before, more)])).toBeNull();
});

test('one that mounts the ConfigMap by itself is', () => {
  const spec = { volumes: [{ configMap: { name: 'kube-root-ca.crt' } }] };
  expect(saidOf(trust, [configMap('shop')], [pod('a', before, before, { spec })])).toContain('shop/a');
});

test('first every namespace has to have the new set, in whichever order', () => {
  const turned = configMap('shop', undefined, [...trust].reverse().join('\n'));
  expect(saidOf(trust, [turned], [])).toBeNull();
  const behind = configMap('late', undefined, trust[0]);
  expect(saidOf(trust, [turned, behind], [])).toContain('ConfigMap kube-root-ca.crt of late');
});

test('what a hostile cluster answers is survived', () => {
  expect(podsGate(trust, [], [{}, { metadata: {}, spec: {}, status: {} }])).toEqual({ open: true });
});
