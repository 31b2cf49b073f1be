/** A ClusterPKI in which every field that there is has a valid value, as `full-objects.ts` has other kinds. */
import type { Json } from './hostile-values.ts';

type Fields = { [key: string]: Json };

export const fullPki = (name: string): Fields & { spec: Fields } => ({
  apiVersion: 'firn.dev/v1alpha1',
  kind: 'ClusterPKI',
  metadata: { name, namespace: 'fleet' },
  spec: {
    keyAlgorithm: 'RSA-4096',
    authorities: { lifetime: '43800h' },
    certificates: { lifetime: '720h', renewBefore: '240h30m' },
    import: { cluster: { name: 'corporate' }, etcd: { name: 'etcd' }, frontProxy: { name: 'front' } },
    rotate: {
      authority: '2026-11-21',
      serviceAccountKey: 'a',
      encryptionKey: 'zwölf',
      abort: '2026-11-20',
    },
    deletionPolicy: 'Delete',
  },
});

const fingerprint = 'ab'.repeat(32);
const at = '2026-11-21T10:00:00Z';

export const fullPkiStatus: Fields = {
  observedGeneration: 3,
  conditions: [
    {
      type: 'Ready',
      status: 'True',
      observedGeneration: 3,
      lastTransitionTime: at,
      reason: 'Reconciled',
      message: '',
    },
  ],
  summary: 'Valid',
  authorities: [
    { name: 'cluster', secretName: 'demo-cluster-ca', fingerprint, notAfter: at, imported: true },
    { name: 'front-proxy', secretName: 'demo-front-proxy-ca', fingerprint, notAfter: at },
  ],
  authorityCount: 3,
  serviceAccount: { secretName: 'demo-service-account', fingerprint },
  encryption: { secretName: 'demo-encryption', keyName: 'key-0123456789ab' },
  certificates: 21,
  nextExpiry: at,
  nextExpiring: 'node1 /etc/kubernetes/pki/apiserver.crt',
  nextExpiryIn: '89d',
  rotation: [
    { name: 'authority', request: 'a', stage: 'Distribute', startedAt: at, waitsFor: 'node1 to have it' },
    { name: 'encryptionKey', request: 'a', stage: 'Rewrite', startedAt: at },
  ],
};
