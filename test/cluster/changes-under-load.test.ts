/**
 * What clusters live through, on booted hosts: a minor version up, and every authority and key replaced; while a client
 * writes and reads by a balancer and a Deployment of two serves. With one API server there are moments without it: what
 * counts is that nothing is lost, and that pods go on.
 */
import type { ClusterPKIStatus, NixClusterStatus } from '../../crds/index.ts';
import { busy } from '../support/busy-client.ts';
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
import { startServing } from '../support/serving.ts';

const next = { url: 'path:/srv/nixpkgs-kubernetes-next' };

describe.each([
  { file: '02-single-node.yaml', name: 'lab', longestGapSeconds: 60 },
  { file: '04-ha-ipv6.yaml', name: 'prod', family: 'IPv6' as const, longestGapSeconds: 10 },
])('$file', ({ file, name, longestGapSeconds, ...network }) => {
  const example = exampleOf(file);
  const names = nodesOf(example);
  const [first = ''] = names;
  let cluster: KubernetesCluster;
  const on = () => cluster.on(first);

  beforeAll(async () => {
    cluster = await startKubernetesHosts(names, { flavour: 'kubernetes-next', ...network });
  }, 600_000);
  afterAll(async () => {
    await cluster?.[Symbol.asyncDispose]();
  }, 240_000);

  const says = <Status>(plural: string, what: string, fits: (status: Status) => boolean, withinMs: number) =>
    waitForObject<Status>(
      ...([cluster.booted.cluster, plural, name, what] as const),
      ({ status }) => status !== undefined && fits(status),
      withinMs,
    );
  const clusterSays = (what: string, fits: (status: NixClusterStatus) => boolean, withinMs = 300_000) =>
    says<NixClusterStatus>('nixclusters', what, fits, withinMs);
  const pkiSays = (what: string, fits: (status: ClusterPKIStatus) => boolean, withinMs = 900_000) =>
    says<ClusterPKIStatus>('clusterpkis', what, fits, withinMs);
  const isRolledOut = ({ conditions }: NixClusterStatus): boolean =>
    conditions?.find(({ type }) => type === 'RolledOut')?.status === 'True';

  test('a Deployment of two serves', async () => {
    await applyExample(cluster, fitted(example, cluster));
    await waitForNodes(cluster, first, names.length, 420_000);
    await startServing(cluster, first);
    await clusterSays(
      '1.36 runs, and etcd is well',
      (status) =>
        isRolledOut(status) &&
        status.kubernetes?.version === '1.36' &&
        status.etcd?.state === (names.length === 1 ? 'Alone' : 'Healthy'),
    );
  }, 900_000);

  const podsOf = () => on().run(`${kubectl} get pods -l app=web -o 'jsonpath={.items[*].metadata.uid}'`);

  test('one minor up, component by component and node by node', async () => {
    const pods = await podsOf();
    const stages = new Set<string>();
    const counts = await busy(on(), async () => {
      const objects = fitted(example, cluster).map((object) => {
        const { kind, spec } = object as { kind: string; spec: Record<string, unknown> };
        return kind === 'NixCluster'
          ? { ...object, spec: { ...spec, kubernetes: { version: '1.37', nixpkgs: next } } }
          : object;
      });
      await apply(cluster.booted.cluster, ...objects);
      await clusterSays(
        'all is 1.37',
        (status) => {
          if (status.kubernetes?.stage) stages.add(status.kubernetes.stage);
          return status.kubernetes?.version === '1.37' && !status.kubernetes.stage && isRolledOut(status);
        },
        1_200_000,
      );
    });
    console.info(`${file}, an upgrade: ${JSON.stringify(counts)}; stages seen: ${[...stages].join(', ')}`);
    expect(counts).toMatchObject({ wrong: 0, unanswered: [] });
    expect(counts.longestGapSeconds).toBeLessThan(longestGapSeconds);
    const versions = `${kubectl} get nodes -o 'jsonpath={.items[*].status.nodeInfo.kubeletVersion}'`;
    expect(await on().run(versions)).toBe(names.map(() => 'v1.37.1').join(' '));
    for (const one of names)
      for (const unit of ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kube-proxy']) {
        const program = `"$(readlink /proc/$(systemctl show -P MainPID ${unit})/exe)"`;
        expect(await cluster.on(one).run(`${program} --version`)).toContain('v1.37.1');
      }
    // Where there is another node for them they are drained; else they go on under the new kubelet.
    if (names.length === 1) expect(await podsOf()).toBe(pods);
  }, 1_500_000);

  test('every authority and key is replaced', async () => {
    const secret = 'canary-of-the-rotation';
    await on().run(`${kubectl} create secret generic kept --from-literal=word=${secret}`);
    const before = await pkiSays('as it was', ({ authorities }) => authorities?.length === 3);
    const counts = await busy(on(), async () => {
      const rotate = { authority: 'one', serviceAccountKey: 'one', encryptionKey: 'one' };
      await apply(cluster.booted.cluster, {
        ...{ apiVersion: 'firn.dev/v1alpha1', kind: 'ClusterPKI' },
        ...{ metadata: { name, namespace }, spec: { rotate } },
      });
      // Who is restarted before the last API server signs with the new key has tokens of the former one again.
      await pkiSays('pods are waited for', ({ rotation = [] }) =>
        ['authority', 'serviceAccountKey'].every((one) =>
          rotation.some((it) => it.name === one && it.waitsFor?.includes('default/web')),
        ),
      );
      await on().run(`${kubectl} rollout restart deployment web`);
      await pkiSays('no rotation is left', ({ rotation }) => !rotation?.length);
      await clusterSays('the last of it is rolled out', isRolledOut);
    });
    console.info(`${file}, a rotation: ${JSON.stringify(counts)}`);
    expect(counts).toMatchObject({ wrong: 0, unanswered: [] });
    expect(counts.longestGapSeconds).toBeLessThan(longestGapSeconds);
    const after = await pkiSays('as it is', () => true);
    const former = new Set(before.status?.authorities?.map(({ fingerprint }) => fingerprint));
    expect(after.status?.authorities?.filter(({ fingerprint }) => former.has(fingerprint))).toEqual([]);
    expect(await on().run(`${kubectl} get secret kept -o 'jsonpath={.data.word}' | base64 -d`)).toBe(secret);
    await waitForNodes(cluster, first, names.length, 90_000);
  }, 2_700_000);
});
