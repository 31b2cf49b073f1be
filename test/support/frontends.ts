/** Frontends and the nodes that serve them, as objects. */
import { ClusterFrontend, NixNode, type NixNodeStatus } from '../../crds/index.ts';

type Fields = { [field: string]: unknown };

export const frontendIn = (namespace: string, name: string, spec: Fields = {}): Fields => ({
  apiVersion: 'firn.dev/v1alpha1',
  kind: 'ClusterFrontend',
  metadata: { name, namespace },
  spec: {
    clusterRef: { name: 'demo' },
    bind: [':443'],
    backend: { service: { name: 'ingress', port: 'https' } },
    ...spec,
  },
});

const stored = (name: string, metadata: Fields = {}) => ({
  name,
  namespace: 'demo',
  uid: `uid-${name}`,
  resourceVersion: '1',
  ...metadata,
});

/** `age`: the larger, the older. */
export const frontendOf = (name: string, spec: Fields = {}, age = 0): ClusterFrontend => {
  const creationTimestamp = new Date(Date.UTC(2026, 10, 21) - age * 1000).toISOString();
  return ClusterFrontend.parse({
    ...frontendIn('demo', name, spec),
    metadata: stored(name, { creationTimestamp }),
  });
};

export const edgeOf = (
  name: string,
  { labels, spec, status }: { labels?: Record<string, string>; spec?: Fields; status?: NixNodeStatus } = {},
): NixNode => ({
  ...NixNode.parse({
    apiVersion: 'firn.dev/v1alpha1',
    kind: 'NixNode',
    metadata: stored(name, labels && { labels }),
    spec: {
      clusterRef: { name: 'demo' },
      roles: ['frontend'],
      ssh: { host: '192.0.2.40', keyRef: { name: 'deploy-key' }, hostKeyPolicy: 'TrustOnFirstUse' },
      stateVersion: '26.05',
      ...spec,
    },
  }),
  ...(status && { status }),
});
