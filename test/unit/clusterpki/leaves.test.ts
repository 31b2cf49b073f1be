import { type Leaf, leavesOf, type Subject } from '../../../controllers/clusterpki/leaves.ts';

const subject: Subject = {
  node: 'node1',
  roles: ['control-plane'],
  addresses: ['fd88:1::1', '10.88.1.1'],
  underlayAddresses: ['192.0.2.31'],
  cluster: {
    name: 'demo',
    domain: 'k8s.internal',
    endpointHost: 'Test-Kube.example.com',
    services: ['10.88.0.0/24'],
  },
};
const worker: Subject = { ...subject, node: 'node2', roles: ['worker'] };
const byName = (leaves: readonly Leaf[]): Record<string, Leaf> =>
  Object.fromEntries(leaves.map((leaf) => [leaf.name, leaf]));
const hosts = ['10.88.1.1', '192.0.2.31', 'fd88:1::1'];

test('a control plane and two workers have the 21 certificates of the example', () => {
  const all = [leavesOf(subject), leavesOf(worker), leavesOf({ ...worker, node: 'node3' })];
  expect(all.map((leaves) => leaves.length)).toEqual([13, 4, 4]);
});

test('a node that is both has what a control plane has; a frontend only finds names', () => {
  expect(leavesOf({ ...subject, roles: ['control-plane', 'worker'] })).toEqual(leavesOf(subject));
  expect(leavesOf({ ...subject, roles: ['frontend'] }).map(({ name }) => name)).toEqual(['coredns']);
});

test('with Flannel, nodes with pods have one more', () => {
  const cluster = { ...subject.cluster, cni: 'Flannel' } as const;
  const added = (who: Subject) => {
    const before = leavesOf(who).map(({ name }) => name);
    return leavesOf({ ...who, cluster }).filter(({ name }) => !before.includes(name));
  };
  const flannel = { name: 'flannel', owner: 'root', spec: { commonName: 'firn:flannel' } };
  expect(added(subject)).toMatchObject([flannel]);
  expect(added(worker)).toMatchObject([flannel]);
  expect(added({ ...subject, roles: ['frontend'] })).toEqual([]);
});

// The table of kubernetes.io/docs/setup/best-practices/certificates: CN, parent, O, kind; and where we differ, why.
test.each([
  // The gRPC gateway of a member dials it, and members dial each other: server and client.
  ['etcd-server', 'kube-etcd', 'etcd', [], 'server auth,client auth', 'etcd/server', 'etcd'],
  ['etcd-peer', 'kube-etcd-peer', 'etcd', [], 'server auth,client auth', 'etcd/peer', 'etcd'],
  // system:masters, which the table has for these two, cannot be taken back.
  ['apiserver-etcd-client', 'kube-apiserver-etcd-client', 'etcd', [], 'client auth', '', 'kubernetes'],
  [
    'apiserver-kubelet-client',
    'kube-apiserver-kubelet-client',
    'cluster',
    [],
    'client auth',
    '',
    'kubernetes',
  ],
  ['apiserver', 'kube-apiserver', 'cluster', [], 'server auth', '', 'kubernetes'],
  ['front-proxy-client', 'front-proxy-client', 'front-proxy', [], 'client auth', '', 'kubernetes'],
  ['controller-manager', 'system:kube-controller-manager', 'cluster', [], 'client auth', '', 'kubernetes'],
  ['scheduler', 'system:kube-scheduler', 'cluster', [], 'client auth', '', 'kubernetes'],
  ['kubelet-client', 'system:node:node1', 'cluster', ['system:nodes'], 'client auth', '', 'root'],
  ['kubelet', 'system:node:node1', 'cluster', ['system:nodes'], 'server auth', '', 'root'],
  ['kube-proxy', 'system:kube-proxy', 'cluster', [], 'client auth', '', 'root'],
  ['coredns', 'firn:coredns', 'cluster', [], 'client auth', '', 'coredns'],
  ['admin', 'kubernetes-admin', 'cluster', ['firn:cluster-admins'], 'client auth', '', 'root'],
])('%s is %s of %s', (name, commonName, authority, organizations, ends, file, owner) => {
  const leaf = byName(leavesOf(subject))[name]!;
  expect({
    commonName: leaf.spec.commonName,
    authority: leaf.authority,
    organizations: leaf.spec.organizations ?? [],
    ends: leaf.spec.ends.join(),
    owner: leaf.owner,
    group: leaf.group,
    certificatePath: leaf.certificatePath,
    keyPath: leaf.keyPath,
  }).toEqual({
    commonName,
    authority,
    organizations,
    ends,
    owner,
    group: owner,
    certificatePath: `/etc/kubernetes/pki/${file || name}.crt`,
    keyPath: `/etc/kubernetes/pki/${file || name}.key`,
  });
});

test('only servers have names', () => {
  const named = leavesOf(subject).filter(({ spec }) => spec.dnsNames || spec.ipAddresses);
  expect(named.map(({ name }) => name).sort()).toEqual(['apiserver', 'etcd-peer', 'etcd-server', 'kubelet']);
  const { apiserver, kubelet } = byName(leavesOf(subject));
  expect(apiserver!.spec.dnsNames).toEqual([
    'kubernetes',
    'kubernetes.default',
    'kubernetes.default.svc',
    'kubernetes.default.svc.k8s.internal',
    'localhost',
    'node1',
    'node1.k8s.internal',
    'test-kube.example.com',
  ]);
  expect(apiserver!.spec.ipAddresses).toEqual([
    '10.88.0.1',
    ...hosts.slice(0, 1),
    '127.0.0.1',
    '192.0.2.31',
    '::1',
    'fd88:1::1',
  ]);
  expect(kubelet!.spec).toMatchObject({ dnsNames: ['node1', 'node1.k8s.internal'], ipAddresses: hosts });
});

test.each(['2001:db8::1', '192.0.2.99'])('an endpoint that is the address %s is one', (endpointHost) => {
  const { apiserver } = byName(leavesOf({ ...subject, cluster: { ...subject.cluster, endpointHost } }));
  expect(apiserver!.spec.ipAddresses).toContain(endpointHost);
  expect(apiserver!.spec.dnsNames).not.toContain(endpointHost);
});

test('every family of services has its first address', () => {
  const services = ['2001:db8:88:ffff::/112', '10.96.0.0/12'];
  const { apiserver } = byName(leavesOf({ ...subject, cluster: { ...subject.cluster, services } }));
  expect(apiserver!.spec.ipAddresses).toEqual(expect.arrayContaining(['2001:db8:88:ffff::1', '10.96.0.1']));
});

test('nobody is in system:masters', () => {
  const groups = leavesOf({ ...subject, roles: ['control-plane', 'worker', 'frontend'] }).flatMap(
    ({ spec }) => spec.organizations ?? [],
  );
  expect(groups).not.toContain('system:masters');
});

test('the order in which addresses are listed makes no other certificate', () => {
  const turned = { ...subject, addresses: [...subject.addresses].reverse() };
  expect(leavesOf(turned)).toEqual(leavesOf(subject));
  const twice = { ...subject, underlayAddresses: [...subject.underlayAddresses, ...subject.addresses] };
  expect(leavesOf(twice)).toEqual(leavesOf(subject));
});
