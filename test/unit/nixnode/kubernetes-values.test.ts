/** What a member's system is told of Kubernetes, and what it is refused. */
import { kubernetesValues } from '../../../controllers/nixnode/kubernetes-values.ts';
import type { NixCluster, Role } from '../../../crds/index.ts';
import { clusterOf, nodeOf } from '../../support/mesh.ts';

type Given = { roles?: Record<number, Role[]>; spec?: Record<string, unknown> };

/** Nodes 1, 2, … of the roles given; all others are workers. */
function clusterWith(count: number, { roles = {}, spec = {} }: Given = {}): NixCluster {
  const indexes = Array.from({ length: count }, (_, at) => at + 1);
  const cluster = clusterOf(indexes, spec);
  const nodes = cluster.status!.nodes!.map((node) => ({
    ...node,
    roles: roles[node.index] ?? ['worker'],
    kubernetes: { kubelet: '1.36' },
  }));
  return { ...cluster, status: { ...cluster.status, nodes } } as NixCluster;
}

function valuesOf(cluster: NixCluster, index: number, spec: Record<string, unknown> = {}) {
  const place = cluster.status!.nodes!.find((node) => node.index === index)!;
  return kubernetesValues(nodeOf(index, { spec: { roles: place.roles, ...spec } }), cluster, place);
}

const refusal = (work: () => unknown) => {
  try {
    work();
  } catch (error) {
    const { verdict, reason, message } = error as { verdict: string; reason: string; message: string };
    return { verdict, reason, message };
  }
  return null;
};

test('a worker is told of itself and of the cluster', () => {
  const spec = {
    runtime: 'Containerd',
    kubelet: { failSwapOn: false, memorySwap: { swapBehavior: 'LimitedSwap' } },
    datastore: { type: 'Etcd', compactionInterval: '10m' },
    controlPlane: {
      apiServer: { extraArgs: { 'audit-log-maxage': '7' } },
      scheduler: { extraArgs: { v: '4' } },
      controllerManager: { extraArgs: { v: '2' } },
      encryptionAtRest: 'None',
    },
  };
  expect(valuesOf(clusterWith(1, { spec }), 1)).toMatchObject({
    enable: true,
    roles: ['worker'],
    nodeName: 'node1',
    versions: { kubelet: '1.36', kubeProxy: '1.36' },
    podSubnets: ['fd88:1::/32', '10.88.1.0/24'],
    runtime: 'Containerd',
    cni: 'Bridge',
    datastore: 'Etcd',
    compactionInterval: '10m',
    apiServer: { encryptSecrets: false, extraArgs: { 'audit-log-maxage': '7' } },
    controllerManager: { extraArgs: { v: '2' } },
    scheduler: { extraArgs: { v: '4' } },
    kubelet: { settings: { failSwapOn: false, memorySwap: { swapBehavior: 'LimitedSwap' } } },
    kubeProxy: { nodePortAddresses: [], openNodePorts: false },
  });
});

test('etcd is on a socket while it is alone, whoever else there is', () => {
  const etcd = (cluster: NixCluster) => valuesOf(cluster, 1).etcd;
  expect(etcd(clusterWith(3, { roles: { 1: ['control-plane'] } }))).toEqual({
    transport: 'Socket',
    clusterFile: '/run/firn/current/data/etcd-cluster',
  });
  const three: Role[] = ['control-plane', 'worker'];
  expect(etcd(clusterWith(3, { roles: { 1: three, 2: three, 3: three } }))).toMatchObject({
    transport: 'TLS',
  });
});

describe('taints from the first moment on', () => {
  const taint = { key: 'node-role.kubernetes.io/control-plane', value: '', effect: 'NoSchedule' };
  const taintsOf = (roles: Role[], controlPlane = {}, spec = {}) => {
    const cluster = clusterWith(1, { roles: { 1: roles }, spec: { controlPlane } });
    return (valuesOf(cluster, 1, spec).kubelet as { taints: unknown[] }).taints;
  };

  test.each<[Role[], object, unknown[]]>([
    [['control-plane'], {}, [taint]],
    [['control-plane', 'worker'], {}, []],
    [['control-plane', 'worker'], { taint: true }, [taint]],
    [['control-plane'], { taint: false }, []],
    [['worker'], { taint: true }, []],
  ])('%j with %j', (roles, controlPlane, expected) => {
    expect(taintsOf(roles, controlPlane)).toEqual(expected);
  });

  test('and those of the NixNode', () => {
    const own = { key: 'dedicated', value: 'db', effect: 'NoSchedule' };
    expect(taintsOf(['worker'], {}, { kubernetes: { taints: [own] } })).toEqual([own]);
  });
});

test('a kubelet registers the labels that it may; it does not start with others', () => {
  const labels = {
    disk: 'ssd',
    'example.com/rack': '7',
    'topology.kubernetes.io/zone': 'a',
    'node.kubernetes.io/exclude-from-external-load-balancers': 'true',
    'node-role.kubernetes.io/db': '',
    'node-restriction.kubernetes.io/pci': 'yes',
    'scheduling.k8s.io/x': 'y',
  };
  const { kubelet } = valuesOf(clusterWith(1), 1, { kubernetes: { labels } });
  expect(Object.keys((kubelet as { labels: object }).labels)).toEqual([
    'disk',
    'example.com/rack',
    'topology.kubernetes.io/zone',
    'node.kubernetes.io/exclude-from-external-load-balancers',
  ]);
});

test.each([
  ['kube.example.com', true],
  ['192.0.2.1', true],
  ['2001:db8::1', true],
  ['node1.k8s.internal', false],
  ['localhost', false],
  ['::1', false],
  ['10.88.1.1', false],
  ['fd88:1::1', false],
])('an endpoint %s opens the API server to everyone: %s', (host, open) => {
  const cluster = clusterWith(1, { spec: { endpoint: { host } } });
  expect(valuesOf(cluster, 1).apiServer).toMatchObject({ openFirewall: open });
});

test('networks for node ports are for who comes from outside', () => {
  const { network } = clusterOf([1]).spec;
  const spec = { network: { ...network, nodePortAddresses: ['192.0.2.0/24'] } };
  expect(valuesOf(clusterWith(1, { spec }), 1).kubeProxy).toEqual({
    nodePortAddresses: ['192.0.2.0/24'],
    openNodePorts: true,
  });
});

describe('refused before anything is built, with what to do', () => {
  test('a field of the kubelet that Firn sets', () => {
    const spec = { kubelet: { clusterDNS: ['1.1.1.1'], authentication: {}, maxPods: 60 } };
    expect(refusal(() => valuesOf(clusterWith(1, { spec }), 1))).toEqual({
      verdict: 'terminal',
      reason: 'SettingRefused',
      message:
        'spec.kubelet has authentication, clusterDNS, which Firn sets by itself; remove what is not yours to say',
    });
  });

  test('a second control plane on SQLite; the first goes on', () => {
    const roles: Record<number, Role[]> = { 1: ['worker'], 2: ['control-plane'], 3: ['control-plane'] };
    const cluster = clusterWith(3, { roles, spec: { datastore: { type: 'SQLite' } } });
    expect(refusal(() => valuesOf(cluster, 1))).toBeNull();
    expect(refusal(() => valuesOf(cluster, 2))).toBeNull();
    expect(refusal(() => valuesOf(cluster, 3))).toMatchObject({
      verdict: 'terminal',
      reason: 'OneControlPlaneOnly',
      message: expect.stringContaining('room for one control-plane node, and node2 is that'),
    });
  });

  test('a frontend alone where Flannel is the network, which takes subnets from Nodes', () => {
    const { network } = clusterOf([1]).spec;
    const { meshRef: _, ...rest } = network;
    const withFlannel = { spec: { network: { ...rest, cni: 'Flannel' } } };
    const of = (roles: Role[]) => clusterWith(1, { ...withFlannel, roles: { 1: roles } });
    expect(refusal(() => valuesOf(of(['frontend']), 1))).toMatchObject({ reason: 'CniNotSupported' });
    // Flannel comes after Kubernetes, so nobody is to need it to reach that.
    expect(valuesOf(of(['frontend', 'worker']), 1)).toMatchObject({
      cni: 'Flannel',
      nodeAddresses: ['192.0.2.1'],
    });
  });
});
