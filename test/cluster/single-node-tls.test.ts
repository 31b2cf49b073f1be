/** The same with an etcd that could have other members: mutual TLS, and a cluster that a file tells it of. */
import { kubectl } from '../support/kubernetes-cluster.ts';
import { type SingleNode, startSingleNode } from '../support/single-node.ts';

let node: SingleNode;
const clusterFile = 'state new\nmember node1 https://10.88.1.1:2380\n';

beforeAll(async () => {
  node = await startSingleNode({
    more: 'firn.kubernetes.etcd.transport = "TLS";',
    data: { 'etcd-cluster': clusterFile },
  });
}, 900_000);
afterAll(async () => {
  await node?.stop();
}, 120_000);

const connect = 'openssl s_client -verify_return_error -CAfile /etc/kubernetes/pki/etcd/ca.crt';

test('etcd talks to nobody without a certificate of its own authority', async () => {
  const ask = async (more: string) => {
    const request = "printf 'GET /health HTTP/1.0\\r\\n\\r\\n'";
    const { stdout } = await node.attempt(
      `${request} | ${connect} -quiet -connect 127.0.0.1:2379 ${more} 2>/dev/null`,
    );
    return stdout.split(' ')[1];
  };
  const pki = '/etc/kubernetes/pki';
  expect(await ask(`-cert ${pki}/apiserver-etcd-client.crt -key ${pki}/apiserver-etcd-client.key`)).toBe(
    '200',
  );
  expect(await ask('')).toBeUndefined();
  expect(await ask(`-cert ${pki}/admin.crt -key ${pki}/admin.key`)).toBeUndefined();
});

test('a member with data starts without the file', async () => {
  await node.run('rm /run/firn/current/data/etcd-cluster && systemctl restart etcd');
  await node.eventually('the API', `${kubectl} get nodes --request-timeout=5s`, 60_000);
  expect(await node.run('systemctl show --value -p NRestarts etcd')).toBe('0');
});
