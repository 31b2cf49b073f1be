/** docs/examples/05 on two hosts: one that runs Kubernetes, and a frontend that follows a Deployment from 1 to 5 and back. */
import type { ClusterFrontendStatus } from '../../crds/index.ts';
import { namespace } from '../support/fleet.ts';
import type { Asking } from '../support/hosts/asking.ts';
import {
  applyExample,
  exampleOf,
  fitted,
  type KubernetesCluster,
  kubectl,
  startKubernetesHosts,
} from '../support/kubernetes-cluster.ts';
import { type Load, startLoad } from '../support/load.ts';
import { isWell, waitForObject } from '../support/objects.ts';
import { list, podSpec, serve } from '../support/pods.ts';
import { waitFor } from '../support/wait.ts';

type Fields = { [field: string]: unknown };
type Written = { kind: string; metadata: { name: string }; spec: Fields };

const [node, edge] = ['node1', 'edge-1'];
let cluster: KubernetesCluster;
let control: Asking;

/** The cluster of example 03 with its first node alone, which runs pods, too; and what example 05 adds. */
function objects(): object[] {
  const written = [...exampleOf('03-primary-and-workers.yaml'), ...exampleOf('05-frontend.yaml')];
  const kept = written.filter(
    ({ kind, metadata }) => kind !== 'NixNode' || [node, edge].includes(metadata.name),
  );
  return fitted(kept, cluster).map((object) => adapted(object as Written));
}

function adapted(object: Written): Written {
  const { spec } = object;
  switch (object.kind === 'NixNode' ? object.metadata.name : object.kind) {
    case node: {
      const { mesh: _, ...rest } = spec;
      return { ...object, spec: { ...rest, roles: ['control-plane', 'worker'] } };
    }
    case edge: {
      // Machines of tests have few file descriptors.
      const few = '{ firn.kubernetes.frontends.maxConnections = 2000; }';
      return { ...object, spec: { ...spec, modules: [...(spec.modules as object[]), { inline: few }] } };
    }
    case 'NixCluster':
      return { ...object, spec: { ...spec, controlPlane: { taint: false } } };
    case 'ClusterFrontend': {
      const { address, address6 } = cluster.host(edge);
      return { ...object, spec: { ...spec, bind: [`${address}:443`, `[${address6}]:443`] } };
    }
    default:
      return object;
  }
}

/** Ready once it answers; it serves on for a moment when it is to go, as what users reach should. */
const container = {
  lifecycle: { preStop: { sleep: { seconds: 4 } } },
  readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
};
const deployment = (): object => {
  const { containers, ...spec } = podSpec('ingress', serve, { terminationGracePeriodSeconds: 20 });
  const [first] = containers as Fields[];
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'ingress' },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: 'ingress' } },
      template: {
        metadata: { labels: { app: 'ingress' } },
        spec: { ...spec, containers: [{ ...first, ...container }] },
      },
    },
  };
};
const service = (clusterIP?: string): object => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'ingress' },
  spec: {
    ...(clusterIP && { clusterIP }),
    selector: { app: 'ingress' },
    ports: [{ name: 'https', port: 443, targetPort: 8080 }],
  },
});

const frontendIs = (what: string, reason: string, withinMs: number) =>
  waitForObject<ClusterFrontendStatus>(
    cluster.booted.cluster,
    'clusterfrontends',
    'web',
    what,
    ({ status }) => status?.conditions?.some((one) => one.reason === reason) === true,
    withinMs,
  );

beforeAll(async () => {
  cluster = await startKubernetesHosts([node, edge]);
  control = cluster.on(node);
  await applyExample(cluster, objects());
  await control.eventually(
    'a Node',
    `${kubectl} wait --for=condition=Ready node/${node} --timeout=1s`,
    600_000,
  );
  await control.eventually('an account for pods', `${kubectl} get serviceaccount default`, 60_000);
}, 1_200_000);
afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]();
}, 240_000);

test('it says that there is no Service, and that one is not headless', async () => {
  await frontendIs('no Service', 'BackendNotFound', 120_000);
  await control.run(`${kubectl} apply -f -`, list(service(), deployment()));
  await frontendIs('not headless', 'BackendNotHeadless', 120_000);
  await control.run(`${kubectl} delete service ingress`);
  await control.run(`${kubectl} apply -f -`, list(service('None')));
});

test('it serves, and says so', async () => {
  const { cluster: bootstrap } = cluster.booted;
  const seen = await waitForObject<ClusterFrontendStatus>(
    bootstrap,
    'clusterfrontends',
    'web',
    'Ready',
    isWell,
    300_000,
  );
  expect(seen.status).toMatchObject({ serving: '1/1', servers: '1/1', summary: 'Serving' });
});

const scale = async (to: number): Promise<void> => {
  await control.run(`${kubectl} scale deployment ingress --replicas=${to}`);
  const there = `[ "$(${kubectl} get pods -l app=ingress --field-selector=status.phase=Running -o name | wc -l)" = ${to} ]`;
  const done = `${kubectl} rollout status deployment/ingress --timeout=1s && ${there}`;
  await control.eventually(`${to} pods`, done, 180_000);
};

test('a Deployment from 1 to 5 and back: no connection fails, over either family', async () => {
  const { address, address6 } = cluster.host(edge);
  const loads: Load[] = [address, address6].map((host) => startLoad({ host, port: 443 }, 4));
  await scale(5);
  const everyPod = () => loads.every((load) => Object.keys(load.soFar().answers).length === 5);
  await waitFor('all five to answer', everyPod, { withinMs: 60_000, otherwise: () => loads[0]!.soFar() });
  await scale(1);
  const counted = await Promise.all(loads.map((load) => load.stop()));
  const answers = counted.map((one) => Object.values(one.answers).reduce((sum, count) => sum + count, 0));
  console.info(`answers while scaling from 1 to 5 and back, over IPv4 and IPv6: ${answers.join(' and ')}`);
  expect(counted.map(({ failures }) => failures)).toEqual([[], []]);
});

test('another port opens without a build, and who is connected notices nothing', async () => {
  const host = cluster.host(edge);
  const built = await cluster.on(edge).run('readlink -f /run/current-system');
  const bind = [`${host.address}:443`, `[${host.address6}]:443`, ':8080'];
  const patch = JSON.stringify({ spec: { bind } });
  const begun = performance.now();
  await cluster.booted.cluster.kubectl(['patch', 'cf', 'web', '-n', namespace, '--type=merge', '-p', patch]);
  const load = startLoad({ host: host.address, port: 443 }, 2);
  const opened = async () => {
    const probe = startLoad({ host: host.address, port: 8080 }, 1);
    await new Promise((resolve) => setTimeout(resolve, 200));
    return Object.keys((await probe.stop()).answers).length > 0;
  };
  await waitFor('the new port', opened, { withinMs: 120_000 });
  console.info(`a port is open ${((performance.now() - begun) / 1000).toFixed(1)} s after kubectl patch`);
  expect((await load.stop()).failures).toEqual([]);
  expect(await cluster.on(edge).run('readlink -f /run/current-system')).toBe(built);
});
