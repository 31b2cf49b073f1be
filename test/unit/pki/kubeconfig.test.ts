import { parse } from 'yaml';
import { Sealed } from '../../../controllers/lib/core/sealed.ts';
import { kubeconfigText } from '../../../controllers/lib/pki/kubeconfig.ts';

const base = { name: 'lab', server: 'https://127.0.0.1:6443', authorities: 'CA\n', user: 'alice' };

test('one cluster, one user, one context that joins them', () => {
  const credential = { certificate: 'CERT\n', key: new Sealed('KEY\n') };
  const text = kubeconfigText({ ...base, credential, namespace: 'fleet' });
  expect(parse(text.open())).toEqual({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'lab', cluster: { server: base.server, 'certificate-authority-data': 'Q0EK' } }],
    users: [
      { name: 'alice', user: { 'client-certificate-data': 'Q0VSVAo=', 'client-key-data': 'S0VZCg==' } },
    ],
    contexts: [{ name: 'lab', context: { cluster: 'lab', user: 'alice', namespace: 'fleet' } }],
    'current-context': 'lab',
  });
  expect(String(text)).toBe('[sealed]');
});

test('a token instead of a certificate; hostile names stay values', () => {
  const name = 'x: {y}\n- "z"';
  const config = parse(kubeconfigText({ ...base, name, credential: { token: new Sealed('t: #1') } }).open());
  expect(config.users).toEqual([{ name: 'alice', user: { token: 't: #1' } }]);
  expect(config.clusters[0].name).toBe(name);
  expect(config['current-context']).toBe(name);
});
