/** A Deployment of two that serves, as its users would write it: never without a pod that answers. */
import { type KubernetesCluster, kubectl } from './kubernetes-cluster.ts';
import { deployment, list, podSpec, serve, service } from './pods.ts';

/** On different nodes as long as there are two. */
const spread = {
  maxSkew: 1,
  topologyKey: 'kubernetes.io/hostname',
  whenUnsatisfiable: 'ScheduleAnyway',
  labelSelector: { matchLabels: { app: 'web' } },
};

function web(): object {
  // On its way out it answers until everybody knows.
  const { containers, ...pod } = podSpec('web', serve, {
    terminationGracePeriodSeconds: 8,
    topologySpreadConstraints: [spread],
  });
  const [container] = containers as object[];
  const readinessProbe = { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 };
  return deployment('web', 2, serve, { ...pod, containers: [{ ...container, readinessProbe }] });
}

const budget = {
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { name: 'web' },
  spec: { minAvailable: 1, selector: { matchLabels: { app: 'web' } } },
};

/** Its Service is `web`. */
export async function startServing(
  cluster: KubernetesCluster,
  controlPlane: string,
  ...more: object[]
): Promise<void> {
  const on = cluster.on(controlPlane);
  await on.eventually('an account for pods', `${kubectl} get serviceaccount default`, 60_000);
  await on.run(`${kubectl} apply -f -`, list(web(), budget, service('web'), ...more));
  await on.eventually('its pods', `${kubectl} rollout status deployment web --timeout=1s`, 120_000);
}
