/** A ClusterFrontend in which every field that there is has a valid value, as `full-objects.ts` has other kinds. */
import type { Json } from './hostile-values.ts';

type Fields = { [key: string]: Json };

export const fullFrontend = (name: string): Fields & { spec: Fields } => ({
  apiVersion: 'firn.dev/v1alpha1',
  kind: 'ClusterFrontend',
  metadata: { name, namespace: 'fleet' },
  spec: {
    clusterRef: { name: 'demo' },
    nodeSelector: {
      matchLabels: { tier: 'edge' },
      matchExpressions: [{ key: 'site', operator: 'In', values: ['berlin'] }],
    },
    bind: ['198.51.100.2:443', '[2001:db8:2::1000]:443', ':8443'],
    mode: 'TCP',
    balance: 'leastconn',
    backend: {
      service: { namespace: 'default', name: 'ingress', port: 'https' },
      maxServers: 20,
      proxyProtocol: false,
    },
  },
});

export const fullFrontendStatus: Fields = {
  observedGeneration: 3,
  conditions: [
    {
      type: 'Ready',
      status: 'True',
      observedGeneration: 3,
      lastTransitionTime: '2026-11-21T10:00:00Z',
      reason: 'Reconciled',
      message: '',
    },
  ],
  summary: 'Serving',
  bind: '198.51.100.2:443, [2001:db8:2::1000]:443',
  nodes: [{ name: 'edge-1', serves: true, servers: 5, up: 5 }],
  serving: '1/1',
  servers: '5/5',
};
