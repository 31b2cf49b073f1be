/** All of Kubernetes on one host that boots, from the modules alone. */
import { accepts } from '../support/accepts.ts';
import { kubectl } from '../support/kubernetes-cluster.ts';
import { list, pod, serve, service, wait } from '../support/pods.ts';
import { type SingleNode, startSingleNode } from '../support/single-node.ts';

let node: SingleNode;

beforeAll(async () => {
  node = await startSingleNode();
  console.info(`a Node was ready ${node.secondsToReady.toFixed(1)} s after the switch began`);
}, 900_000);
afterAll(async () => {
  await node?.stop();
}, 120_000);

const nodePort = service('web', { type: 'NodePort' }, { nodePort: 30080 });

test('the Node has the host’s addresses, the family of services first', async () => {
  const { status } = JSON.parse(await node.run(`${kubectl} get node node1 -o json`));
  expect(status.nodeInfo.kubeletVersion).toMatch(/^v1[.]36[.]/);
  const addresses = status.addresses.filter(({ type }: { type: string }) => type === 'InternalIP');
  expect(addresses.map(({ address }: { address: string }) => address)).toEqual(['10.88.1.1', 'fd88:1::1']);
});

test('a pod answers over a Service by its DNS name, itself included', async () => {
  await node.eventually('an account for pods', `${kubectl} get serviceaccount default`, 30_000);
  await node.run(`${kubectl} apply -f -`, list(pod('web', serve), pod('client', wait), nodePort));
  await node.eventually(
    'pods',
    `${kubectl} wait --for=condition=Ready pod/web pod/client --timeout=1s`,
    60_000,
  );
  for (const from of ['client', 'web']) {
    const ask = `${kubectl} exec ${from} -- wget -q -O - -T 3 http://web.default.svc.k8s.internal`;
    expect(await node.eventually(`an answer to ${from}`, ask, 30_000)).toBe('web');
  }
});

test('hosts resolve services, and node ports answer on the node', async () => {
  const address = await node.run(`${kubectl} get service web -o jsonpath={.spec.clusterIP}`);
  expect(await node.run('resolvectl query --legend=no web.default.svc.k8s.internal')).toContain(address);
  expect(await node.run('busybox wget -q -O - -T 3 http://10.88.1.1:30080')).toBe('web');
});

test('pods have an address of each family, and answer at both', async () => {
  const ips = await node.run(`${kubectl} get pod web -o 'jsonpath={.status.podIPs[*].ip}'`);
  const [four = '', six = ''] = ips.split(' ');
  expect([four, six]).toEqual([expect.stringMatching(/^10[.]88[.]1[.]/), expect.stringMatching(/^fd88:1::/)]);
  for (const address of [four, `[${six}]`])
    expect(await node.run(`${kubectl} exec client -- wget -q -O - -T 3 http://${address}:8080`)).toBe('web');
});

const byService = `${kubectl} exec client -- wget -q -O - -T 2 http://web.default.svc.k8s.internal`;

test('answers between pods of one bridge need netfilter there', async () => {
  expect(
    await node.run('sysctl -n net.bridge.bridge-nf-call-iptables net.bridge.bridge-nf-call-ip6tables'),
  ).toBe('1\n1');
  await node.run('sysctl -q net.bridge.bridge-nf-call-iptables=0');
  expect((await node.attempt(byService)).code).not.toBe(0);
  await node.run('sysctl -q net.bridge.bridge-nf-call-iptables=1');
  expect(await node.run(byService)).toBe('web');
});

test('pods and services live on while components and the firewall start again', async () => {
  const pods = `${kubectl} get pods -o 'jsonpath={range .items[*]}{.metadata.name} {.status.containerStatuses[0].containerID}{"\\n"}{end}'`;
  const before = await node.run(pods);
  await node.run('systemctl restart containerd kubelet kube-proxy firn-dns firn-api-balancer');
  await node.run('systemctl reload nftables firn-firewall');
  expect(await node.eventually('an answer', byService, 30_000)).toBe('web');
  expect(await node.run(pods)).toBe(before);
});

test('every component runs as who it should, in the slice, and none was restarted', async () => {
  const units = {
    etcd: 'etcd',
    'kube-apiserver': 'kubernetes',
    'kube-controller-manager': 'kubernetes',
    'kube-scheduler': 'kubernetes',
    'firn-dns': 'coredns',
    kubelet: 'root',
    'kube-proxy': 'root',
    containerd: 'root',
  };
  const seen: Record<string, string> = {};
  for (const unit of Object.keys(units)) {
    const pid = await node.run(`systemctl show --value -p MainPID ${unit}`);
    seen[unit] = await node.run(`stat -c %U /proc/${pid}`);
    expect(await node.run(`systemctl show --value -p Slice ${unit}`)).toBe('kubernetes.slice');
    expect([unit, await node.run(`systemctl show --value -p NRestarts ${unit}`)]).toEqual([unit, '0']);
  }
  expect(seen).toEqual(units);
});

test('nobody without a certificate learns anything but health', async () => {
  const ask = async (path: string) => {
    const connect = 'openssl s_client -quiet -verify_return_error -CAfile /etc/kubernetes/pki/ca.crt';
    const request = `printf 'GET ${path} HTTP/1.0\\r\\n\\r\\n' | ${connect} -connect 127.0.0.1:6443 2>/dev/null`;
    return (await node.run(request)).split(' ')[1];
  };
  expect(await ask('/readyz')).toBe('200');
  expect(await ask('/api/v1/namespaces')).toBe('401');
  expect(await ask('/version')).toBe('401');
});

test('an etcd that is alone is on no port, and for its group alone', async () => {
  expect(
    await node.run("stat -c '%a %U %G' /run/etcd /run/etcd/client:0 /run/etcd/peer:0 /var/lib/etcd"),
  ).toBe('750 etcd etcd\n770 etcd etcd\n770 etcd etcd\n700 etcd etcd');
  const { stdout } = await node.member.host.run('ss -Hltnp');
  const ports = stdout.split('\n').filter((line) => line.includes('"etcd"'));
  expect(ports.map((line) => line.split(/\s+/)[3])).toEqual(['127.0.0.1:2381']);
});

test('a stranger outside reaches nothing but ssh', async () => {
  const { stdout } = await node.member.host.run('ss -Hltn');
  const ports = [
    ...new Set([...stdout.matchAll(/^LISTEN \S+ +\S+ +\S+:(\d+) /gm)].map(([, port]) => Number(port))),
  ];
  expect(ports).toEqual(expect.arrayContaining([22, 6443, 10250]));
  const open: number[] = [];
  for (const port of [...ports, 30080]) if (await accepts(node.member.host.address, port)) open.push(port);
  expect(open).toEqual([22]);
});

test('upstream finds nothing wrong', async () => {
  const verbose = await node.run(`${kubectl} get --raw '/readyz?verbose'`);
  expect(verbose.split('\n').filter((line) => line.startsWith('[-]'))).toEqual([]);
  expect(verbose).toContain('readyz check passed');
  expect(await node.run('etcdctl --endpoints unix:///run/etcd/client:0 endpoint health 2>&1')).toContain(
    'is healthy: successfully committed proposal',
  );
});

/** As the CIS Kubernetes Benchmark numbers its recommendations; modes are what it allows at most. */
test.each([
  ['1.1.11', 0o700, 'etcd', '/var/lib/etcd'],
  ['1.1.13', 0o600, 'root', '/etc/kubernetes/cluster-admin.kubeconfig'],
  ['1.1.15', 0o644, 'root', '/etc/kubernetes/scheduler.kubeconfig'],
  ['1.1.17', 0o644, 'root', '/etc/kubernetes/controller-manager.kubeconfig'],
  ['1.1.19', 0o755, 'root', '/etc/kubernetes/pki'],
  ['4.1.1', 0o644, 'root', '/etc/systemd/system/kubelet.service'],
  ['4.1.5', 0o644, 'root', '/etc/kubernetes/kubelet.kubeconfig'],
  ['4.1.7', 0o644, 'root', '/etc/kubernetes/pki/ca.crt'],
  ['4.1.9', 0o644, 'root', '/etc/kubernetes/kubelet.json'],
])('%s: %o at most, of %s: %s', async (...[, most, owner, path]) => {
  const [mode = '', user] = (await node.run(`stat -L -c '%a %U' ${path}`)).split(' ');
  expect(Number.parseInt(mode, 8) & ~most).toBe(0);
  expect(user).toBe(owner);
});

test('1.1.20 and 1.1.21: everybody may read certificates, and keys are for one user each', async () => {
  const lines = (await node.run("find -L /etc/kubernetes/pki -type f -printf '%m %u %g %p\\n'")).split('\n');
  expect(lines.length).toBeGreaterThan(20);
  for (const line of lines) {
    const [mode = '', user = '', , path = ''] = line.split(' ');
    const isPublic = /[.](crt|pub)$/.test(path);
    expect([path, Number.parseInt(mode, 8) & ~(isPublic ? 0o644 : 0o600)]).toEqual([path, 0]);
    expect([path, user]).toEqual([path, expect.stringMatching(/^(root|kubernetes|etcd|coredns)$/)]);
  }
});

test('Secrets are encrypted in etcd', async () => {
  await node.run(`${kubectl} create secret generic canary --from-literal=word=a-word-that-is-looked-for`);
  expect((await node.attempt('grep -rqa a-word-that-is-looked-for /var/lib/etcd')).code).toBe(1);
  expect((await node.attempt('grep -rqa k8s:enc:secretbox: /var/lib/etcd')).code).toBe(0);
});
