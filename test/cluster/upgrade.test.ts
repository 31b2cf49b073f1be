/**
 * One minor up, and a rotation of everything, on one booted host, while a client writes and reads and a Deployment of two
 * serves. With one API server there are moments without it: what counts is that nothing is lost and pods go on.
 */
import type { ClusterPKIStatus, NixClusterStatus } from '../../crds/index.ts';
import { apply, namespace } from '../support/fleet.ts';
import {
  applyExample,
  exampleOf,
  fitted,
  type KubernetesCluster,
  kubectl,
  nodesOf,
  startKubernetesHosts,
  waitForNodes,
} from '../support/kubernetes-cluster.ts';
import { waitForObject } from '../support/objects.ts';
import { deployment, list, pod, serve, service, wait } from '../support/pods.ts';

const example = exampleOf('02-single-node.yaml');
const [name = ''] = nodesOf(example);
const next = { url: 'path:/srv/nixpkgs-kubernetes-next' };
let cluster: KubernetesCluster;

beforeAll(async () => {
  cluster = await startKubernetesHosts([name], { flavour: 'kubernetes-next' });
}, 600_000);
afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]();
}, 120_000);

const on = () => cluster.on(name);
const stdout = async (script: string) => (await on().run(script)).trim();
const clusterSays = (what: string, fits: (status: NixClusterStatus) => boolean, withinMs = 300_000) =>
  waitForObject<NixClusterStatus>(
    cluster.booted.cluster,
    'nixclusters',
    'lab',
    what,
    ({ status }) => status !== undefined && fits(status),
    withinMs,
  );
const pkiSays = (what: string, fits: (status: ClusterPKIStatus) => boolean, withinMs = 300_000) =>
  waitForObject<ClusterPKIStatus>(
    cluster.booted.cluster,
    'clusterpkis',
    'lab',
    what,
    ({ status }) => status !== undefined && fits(status),
    withinMs,
  );

/**
 * On the host, until its file is gone: counts up in a ConfigMap and reads it back, each until it succeeds; and asks the
 * Service, by its address. A line for what went wrong, and the counts at the end.
 */
const client = `
set -u
export KUBECONFIG=/etc/kubernetes/cluster-admin.kubeconfig
address=$(kubectl get service web -o 'jsonpath={.spec.clusterIP}')
written=0 retried=0 wrong=0 asked=0 gap=0
touch /run/client-runs
( while [ -e /run/client-runs ]; do
    if busybox wget -q -O - -T 2 "http://$address" >/dev/null 2>&1; then echo yes; else echo no; fi
    sleep 0.2
  done >/run/client-web ) &
while [ -e /run/client-runs ]; do
  n=$((written + 1))
  until kubectl patch configmap counter --request-timeout=5s --type=merge -p "{\\"data\\":{\\"n\\":\\"$n\\"}}" >/dev/null 2>&1; do
    retried=$((retried + 1)); sleep 0.2; [ -e /run/client-runs ] || break 2
  done
  written=$n
  until read=$(kubectl get configmap counter --request-timeout=5s -o 'jsonpath={.data.n}' 2>/dev/null); do
    retried=$((retried + 1)); sleep 0.2; [ -e /run/client-runs ] || break 2
  done
  [ "$read" = "$written" ] || { wrong=$((wrong + 1)); echo "wrote $written, read $read"; }
done
wait
echo "written=$written retried=$retried wrong=$wrong asked=$(wc -l </run/client-web) unanswered=$(grep -c no /run/client-web)" >/run/client-counts
`;

type Counts = Record<'written' | 'retried' | 'wrong' | 'asked' | 'unanswered', number>;

/** While it works, the client does. */
async function busy(work: () => Promise<void>): Promise<Counts> {
  await on().run(`rm -f /run/client-counts; cat >/run/client.sh <<'END'\n${client}\nEND`);
  await on().run('systemd-run --unit=test-client --collect --setenv=PATH=$PATH bash /run/client.sh');
  try {
    await work();
  } finally {
    await on().run('rm -f /run/client-runs');
  }
  const text = await on().eventually('the counts', 'cat /run/client-counts', 60_000);
  return Object.fromEntries(
    text
      .trim()
      .split(' ')
      .map((one) => one.split('=')),
  ) as never as Counts;
}

test('a cluster with a Deployment that serves', async () => {
  await applyExample(cluster, fitted(example, cluster));
  await waitForNodes(cluster, name, 1, 400_000);
  const web = deployment('web', 2, serve);
  const counter = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'counter' }, data: { n: '0' } };
  const objects = list(web, service('web'), pod('client', wait), counter);
  await on().eventually('an account for pods', `${kubectl} get serviceaccount default`, 60_000);
  await on().run(`${kubectl} apply -f - <<'END'\n${objects}\nEND`);
  await on().eventually('pods', `${kubectl} rollout status deployment web --timeout=1s`, 120_000);
  await clusterSays('1.36 runs', ({ kubernetes }) => kubernetes?.version === '1.36');
}, 600_000);

test('one minor up: etcd, API server, controllers, kubelet, and no gap in what serves', async () => {
  const pods = await stdout(`${kubectl} get pods -l app=web -o 'jsonpath={.items[*].metadata.uid}'`);
  const stages = new Set<string>();
  const counts = await busy(async () => {
    const objects = fitted(example, cluster).map((object) => {
      const { kind, spec } = object as { kind: string; spec: Record<string, unknown> };
      return kind === 'NixCluster'
        ? { ...object, spec: { ...spec, kubernetes: { version: '1.37', nixpkgs: next } } }
        : object;
    });
    await apply(cluster.booted.cluster, ...objects);
    await clusterSays(
      'all is 1.37',
      ({ kubernetes }) => {
        if (kubernetes?.stage) stages.add(kubernetes.stage);
        return kubernetes?.version === '1.37' && kubernetes.stage === undefined;
      },
      500_000,
    );
  });
  console.info(`during the upgrade: ${JSON.stringify(counts)}; stages seen: ${[...stages].join(', ')}`);
  expect(counts).toMatchObject({ wrong: '0', unanswered: '0' });
  expect(await stdout(`${kubectl} get node ${name} -o 'jsonpath={.status.nodeInfo.kubeletVersion}'`)).toBe(
    'v1.37.1',
  );
  expect(await stdout(`${kubectl} get --raw /version`)).toContain('v1.37.1');
  for (const unit of ['kube-controller-manager', 'kube-scheduler', 'kube-proxy']) {
    const program = await stdout(`readlink /proc/$(systemctl show -P MainPID ${unit})/exe`);
    expect(await stdout(`${program} --version`)).toContain('v1.37.1');
  }
  expect(await stdout(`${kubectl} get pods -l app=web -o 'jsonpath={.items[*].metadata.uid}'`)).toBe(pods);
}, 700_000);

test('every key and authority is replaced in the running cluster', async () => {
  const before = await pkiSays('as it was', ({ authorities }) => authorities?.length === 3);
  const secret = 'canary-of-the-rotation';
  await on().run(`${kubectl} create secret generic kept --from-literal=word=${secret}`);
  const counts = await busy(async () => {
    const rotate = { authority: 'one', serviceAccountKey: 'one', encryptionKey: 'one' };
    const pki = {
      apiVersion: 'firn.dev/v1alpha1',
      kind: 'ClusterPKI',
      metadata: { name: 'lab', namespace },
      spec: { rotate },
    };
    await apply(cluster.booted.cluster, pki);
    const waits = (rotation: ClusterPKIStatus['rotation'], of: string, words: string) =>
      rotation?.some(({ name, waitsFor }) => name === of && waitsFor?.includes(words) === true) === true;
    await pkiSays(
      'pods are waited for',
      ({ rotation }) =>
        waits(rotation, 'authority', 'default/client') &&
        waits(rotation, 'serviceAccountKey', 'renew the tokens of pods'),
      400_000,
    );
    await on().run(`${kubectl} rollout restart deployment web && ${kubectl} delete pod client --wait=false`);
    await pkiSays(
      'no rotation is left',
      ({ rotation, authorities = [] }) =>
        !rotation?.length && authorities[0]?.fingerprint !== before.status?.authorities?.[0]?.fingerprint,
      600_000,
    );
  });
  console.info(`during the rotation: ${JSON.stringify(counts)}`);
  expect(counts).toMatchObject({ wrong: '0' });
  expect(await stdout(`${kubectl} get secret kept -o 'jsonpath={.data.word}' | base64 -d`)).toBe(secret);
  await on().eventually('a Node', `${kubectl} wait --for=condition=Ready node/${name} --timeout=1s`, 90_000);
}, 1_000_000);
