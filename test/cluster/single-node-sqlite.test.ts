/** The same with kine and SQLite in place of etcd. */
import { kubectl } from '../support/kubernetes-cluster.ts';
import { type SingleNode, startSingleNode } from '../support/single-node.ts';

let node: SingleNode;

beforeAll(async () => {
  node = await startSingleNode({ more: 'firn.kubernetes.datastore = "SQLite";' });
}, 900_000);
afterAll(async () => {
  await node?.stop();
}, 120_000);

test('objects are kept, Secrets encrypted, and there is no etcd', async () => {
  await node.run(`${kubectl} create secret generic canary --from-literal=word=a-word-that-is-looked-for`);
  const word = `${kubectl} get secret canary -o jsonpath={.data.word} | base64 -d`;
  expect(await node.run(word)).toBe('a-word-that-is-looked-for');
  expect((await node.attempt('grep -qa a-word-that-is-looked-for /var/lib/kine/*')).code).toBe(1);
  expect((await node.attempt('grep -qa k8s:enc:secretbox: /var/lib/kine/*')).code).toBe(0);
  expect((await node.attempt('systemctl cat etcd')).code).not.toBe(0);
});

test('what was written survives a datastore that is killed', async () => {
  await node.run('systemctl kill --signal=KILL kine');
  const word = `${kubectl} get secret canary -o jsonpath={.data.word} --request-timeout=5s`;
  expect(await node.eventually('the Secret', word, 60_000)).not.toBe('');
});
