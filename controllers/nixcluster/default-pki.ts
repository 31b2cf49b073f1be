/** The ClusterPKI of a cluster that names none. Pure. */
import type { NixCluster } from '../../crds/index.ts';
import type { Applied } from '../lib/kube/client.ts';

/** On what the operator made for a cluster, which outlives it: `kubectl get -l` finds it. */
export const clusterLabel = 'firn.dev/cluster';

/** Without an owner reference: its keys are worth more than the object that asked for them. */
export const defaultPki = ({ metadata }: NixCluster): Applied => ({
  metadata: {
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    labels: { [clusterLabel]: metadata.name, 'app.kubernetes.io/managed-by': 'firn' },
  },
  spec: {},
});
