/** What answers at etcd's port, and need not be etcd: parsed, bounded, in words, and never waited for without end. */
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Sealed } from '../../controllers/lib/core/sealed.ts';
import type { Authority } from '../../controllers/lib/pki/authority.ts';
import { fingerprintOf } from '../../controllers/lib/pki/inspect.ts';
import { issueLeaf } from '../../controllers/lib/pki/leaf.ts';
import type { EtcdAccess, EtcdApi } from '../../controllers/lib/target/etcd.ts';
import { issuance, newAuthority } from '../support/pki.ts';
import { keepSecret } from '../support/secrets/registry.ts';
import { type ScriptedFleet, startScriptedHosts } from '../support/ssh-server/scripted-hosts.ts';
import { startTargets, type TestTargets } from '../support/targets.ts';

let fleet: ScriptedFleet;
let targets: TestTargets;
let authority: Authority;
let server: Server;
let answer: { status: number; body: string } | 'nothing';
let askedAs: string | undefined;

beforeAll(async () => {
  fleet = await startScriptedHosts({ count: 1 });
  targets = startTargets();
  authority = await newAuthority('etcd-ca');
  server = await serve(authority);
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await targets[Symbol.asyncDispose]();
  await fleet.close();
});

async function serve(by: Authority): Promise<Server> {
  const spec = {
    ...{ commonName: 'kube-etcd', ipAddresses: ['127.0.0.1'], ends: ['server auth'] as const },
    ...{ algorithm: 'ECDSA-P256' as const, lifetimeMs: 86_400_000 },
  };
  const { certificate, key } = await issueLeaf(by, spec, issuance());
  keepSecret("the key of etcd's stand-in", key.open());
  const options = { cert: certificate, key: key.open(), ca: authority.certificate, requestCert: true };
  const made = createServer(options, (request, response) => {
    const peer = (
      request.socket as unknown as { getPeerCertificate(): { subject?: { CN?: string } } }
    ).getPeerCertificate();
    askedAs = peer.subject?.CN;
    if (answer !== 'nothing') response.writeHead(answer.status).end(answer.body);
  });
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve));
  fleet.hosts[0]!.ports.set(2379, (made.address() as AddressInfo).port);
  return made;
}

function api(): EtcdApi {
  const { address: host, port, hostKey } = fleet.hosts[0]!;
  const login = { host, port, user: 'root', hostKeys: [hostKey], trustFirstKey: false, poolKey: 'a' };
  const target = { ...login, privateKey: new Sealed(fleet.privateKey) };
  const fingerprint = fingerprintOf(authority.certificate);
  const access: EtcdAccess = {
    key: 'cluster',
    hosts: [{ node: 'node1', target }],
    authority: { signer: authority, fingerprint, trust: authority.certificate } as EtcdAccess['authority'],
  };
  return targets.etcd(access, 'node1');
}
const signal = () => AbortSignal.timeout(20_000);
const says = (body: unknown, status = 200): void => {
  answer = { status, body: typeof body === 'string' ? body : JSON.stringify(body) };
};

test('numbers of 64 bits are IDs as etcdctl shows them, and what is left out is zero', async () => {
  says({ header: { cluster_id: '18446744073709551615', member_id: '1' }, version: '3.6.16' });
  expect(await api().status(signal())).toEqual({
    ...{ id: '1', clusterID: 'ffffffffffffffff', version: '3.6.16', dbSize: 0 },
    ...{ learner: false, hasLeader: false, problems: [] },
  });
  expect(askedAs).toBe('firn:operator');
});

test('a member that has not started has no name; one with a name that nobody gives has another', async () => {
  says({
    members: [
      { ID: '10', peerURLs: ['https://[fd88::1]:2380'], isLearner: true },
      { ID: '11', name: 'x\ny $(id)' },
    ],
  });
  expect(await api().members(signal())).toEqual([
    { id: 'a', name: '', peerURLs: ['https://[fd88::1]:2380'], learner: true },
    { id: 'b', name: 'unprintable', peerURLs: [], learner: false },
  ]);
});

test.each([
  ['text', 'hello'],
  ['another object', '{}'],
  ['an ID that is none', { members: [{ ID: 'ff' }] }],
  [
    'an address with a second line',
    { members: [{ ID: '1', peerURLs: ['https://a:1\nmember b https://b:1'] }] },
  ],
  ['more members than any cluster has', { members: Array(100).fill({ ID: '1' }) }],
])('%s is not what etcd answers', async (_, body) => {
  says(body);
  await expect(api().members(signal())).rejects.toMatchObject({
    name: 'EtcdError',
    message: 'it answers something else than etcd does',
  });
});

test('an answer without end is broken off', async () => {
  says(`"${'x'.repeat(2_000_000)}"`);
  await expect(api().members(signal())).rejects.toMatchObject({ name: 'EtcdError', code: 'Silent' });
});

test.each([
  ['etcdserver: can only promote a learner member which is in sync with leader', 'NotReady'],
  ['etcdserver: unhealthy cluster', 'NotReady'],
  ['etcdserver: member not found', 'NotFound'],
  ['etcdserver: request timed out', 'NoQuorum'],
  ['etcdserver: too many learner members in cluster', 'Refused'],
])('%s: %s', async (message, code) => {
  says({ code: 9, message }, 400);
  await expect(api().promote('a', signal())).rejects.toMatchObject({ code, message: message.slice(12) });
});

test('words of a refusal are one short line', async () => {
  says({ message: `\u001b[31m${'a\n'.repeat(500)}` }, 500);
  const error = await api()
    .remove('a', signal())
    .catch((thrown: Error) => thrown);
  expect((error as Error).message).toMatch(/^(a ){99}a?…?/);
  expect((error as Error).message.length).toBeLessThan(210);
});

test('who does not answer is not waited for', async () => {
  answer = 'nothing';
  await expect(api().status(signal())).rejects.toMatchObject({
    code: 'Silent',
    message: 'it does not answer within 5 s',
  });
});

test('nobody else passes for etcd', async () => {
  const other = await serve(await newAuthority('somebody else'));
  says({});
  await expect(api().status(signal())).rejects.toMatchObject({
    code: 'Silent',
    message: "its certificate is not of the cluster's authority",
  });
  other.closeAllConnections();
  other.close();
  fleet.hosts[0]!.ports.set(2379, 1);
  await expect(api().status(signal())).rejects.toMatchObject({ name: 'EtcdError', code: 'Silent' });
});
