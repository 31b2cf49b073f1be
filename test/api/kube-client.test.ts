import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { systemClock } from '../../controllers/lib/core/clock.ts';
import { KubeClient } from '../../controllers/lib/kube/client.ts';
import { kubeConfigFrom } from '../../controllers/lib/kube/config.ts';
import { type Authority, createAuthority } from '../../controllers/lib/pki/authority.ts';
import { issueLeaf } from '../../controllers/lib/pki/leaf.ts';
import { ProbeKind, probe } from '../support/probe.ts';

const issuance = { now: Date.now(), random: (bytes: number) => new Uint8Array(randomBytes(bytes)) };
const algorithm = 'ECDSA-P256';
const lifetimeMs = 3_600_000;
const target = { namespace: 'default', name: 'a' };
const options = () => ({ signal: AbortSignal.timeout(5_000) });

const newAuthority = () => createAuthority({ commonName: 'test', algorithm, lifetimeMs }, issuance);

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** An API server as far as TLS and authentication go. */
class SecureServer {
  connections = 0;
  port = 0;
  answer: Answer = (_, response) => response.end(JSON.stringify(probe('a', '1')));
  #server: Server | undefined;

  async start(authority: Authority): Promise<void> {
    const leaf = await issueLeaf(
      authority,
      { commonName: 'server', ipAddresses: ['127.0.0.1'], ends: ['server auth'], algorithm, lifetimeMs },
      issuance,
    );
    const tls = {
      cert: leaf.certificate,
      key: leaf.key.open(),
      requestCert: true,
      rejectUnauthorized: false,
    };
    this.#server = createServer(tls, (request, response) => this.answer(request, response));
    this.#server.on('secureConnection', () => {
      this.connections++;
    });
    await new Promise<void>((resolve) => this.#server!.listen(this.port, '127.0.0.1', resolve));
    this.port = (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server!.close(() => resolve()));
    this.#server!.closeAllConnections();
    await closed;
  }
}

let server: SecureServer;
let authority: Authority;
let folder: string;
let client: KubeClient;
const inFolder = (name: string) => join(folder, name);

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'firn-kube-'));
  server = new SecureServer();
  authority = await newAuthority();
  await server.start(authority);
  writeFileSync(inFolder('ca.crt'), authority.certificate);
});

afterEach(async () => {
  await client?.close();
  await server.stop();
  rmSync(folder, { recursive: true });
});

/** Writes a kubeconfig and opens a client on it; may be called again to change the file under the client. */
function writeConfig(user: object): void {
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'c',
        cluster: { server: `https://127.0.0.1:${server.port}`, 'certificate-authority': 'ca.crt' },
      },
    ],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  };
  writeFileSync(inFolder('kubeconfig'), JSON.stringify(config));
}

function open(): KubeClient {
  client = new KubeClient(kubeConfigFrom(inFolder('kubeconfig')), systemClock);
  return client;
}

const requireToken =
  (token: () => string): Answer =>
  (request, response) => {
    const granted = request.headers.authorization === `Bearer ${token()}`;
    response.statusCode = granted ? 200 : 401;
    response.end(JSON.stringify(granted ? probe('a', '1') : { kind: 'Status', reason: 'Unauthorized' }));
  };

/** The client looks at credentials again no more often than once a second after a failure. */
const pause = () => new Promise((resolve) => setTimeout(resolve, 1_050));

test('twenty calls in a row are not twenty connections', async () => {
  writeConfig({ token: 't' });
  open();
  for (let i = 0; i < 20; i++) await client.get(ProbeKind, target, options());
  // undici opens a second one when a call comes before the end of the former answer was taken in.
  expect(server.connections).toBeLessThanOrEqual(2);
});

test('a token that is rotated in the kubeconfig is picked up by the request that it was refused to', async () => {
  let valid = 'first';
  server.answer = requireToken(() => valid);
  writeConfig({ token: 'first' });
  open();
  await client.get(ProbeKind, target, options());
  await pause();
  valid = 'second';
  writeConfig({ token: 'second' });
  await expect(client.get(ProbeKind, target, options())).resolves.toMatchObject({ kind: 'Probe' });
});

test('a token file ends with a newline, as Kubernetes and editors write them, and is read again when refused', async () => {
  let valid = 'first';
  server.answer = requireToken(() => valid);
  writeFileSync(inFolder('token'), 'first\n');
  writeConfig({ 'auth-provider': { name: 'tokenFile', config: { tokenFile: inFolder('token') } } });
  open();
  await client.get(ProbeKind, target, options());
  await pause();
  valid = 'second';
  writeFileSync(inFolder('token'), 'second\n');
  await expect(client.get(ProbeKind, target, options())).resolves.toMatchObject({ kind: 'Probe' });
});

test('an exec plugin is asked once, and again when its token is refused', async () => {
  let valid = 'first';
  server.answer = requireToken(() => valid);
  writeFileSync(inFolder('token'), 'first');
  const script = `#!/bin/sh
echo run >> ${inFolder('runs')}
printf '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"%s"}}' "$(cat ${inFolder('token')})"
`;
  writeFileSync(inFolder('plugin'), script);
  chmodSync(inFolder('plugin'), 0o755);
  writeConfig({ exec: { apiVersion: 'client.authentication.k8s.io/v1', command: inFolder('plugin') } });
  open();
  for (let i = 0; i < 3; i++) await client.get(ProbeKind, target, options());
  await pause();
  valid = 'second';
  writeFileSync(inFolder('token'), 'second');
  await client.get(ProbeKind, target, options());
  expect(readFileSync(inFolder('runs'), 'utf8')).toBe('run\nrun\n');
});

test('a token that stays refused is an error after one more try', async () => {
  let requests = 0;
  server.answer = (_, response) => {
    requests++;
    response.statusCode = 401;
    response.end();
  };
  writeConfig({ token: 'wrong' });
  open();
  await expect(client.get(ProbeKind, target, options())).rejects.toMatchObject({
    name: 'KubeError',
    status: 401,
  });
  expect(requests).toBe(2);
});

test('a server whose authority was rotated is trusted again once the file says so', async () => {
  writeConfig({ token: 't' });
  open();
  await client.get(ProbeKind, target, options());
  await pause();
  await server.stop();
  const next = await newAuthority();
  await server.start(next);
  await expect(client.get(ProbeKind, target, options())).rejects.toMatchObject({
    name: 'KubeError',
    status: 0,
  });
  writeFileSync(inFolder('ca.crt'), next.certificate);
  await pause();
  await client.get(ProbeKind, target, options()).catch(() => undefined);
  await expect(client.get(ProbeKind, target, options())).resolves.toMatchObject({ kind: 'Probe' });
});

test('a client certificate that is rotated is presented from the next connection on', async () => {
  const spec = { ends: ['client auth' as const], algorithm, lifetimeMs } as const;
  const writeCertificate = async (commonName: string) => {
    const leaf = await issueLeaf(authority, { ...spec, commonName }, issuance);
    writeFileSync(inFolder('client.crt'), leaf.certificate);
    writeFileSync(inFolder('client.key'), leaf.key.open());
  };
  server.answer = (request, response) => {
    const { subject } = (request.socket as TLSSocket).getPeerCertificate();
    response.statusCode = subject?.CN === 'first' || subject?.CN === 'second' ? 200 : 401;
    response.end(JSON.stringify(probe(String(subject?.CN), '1')));
  };
  await writeCertificate('first');
  writeConfig({ 'client-certificate': 'client.crt', 'client-key': 'client.key' });
  open();
  expect((await client.get(ProbeKind, target, options())).metadata.name).toBe('first');
  await pause();
  await writeCertificate('second');
  server.answer = ((serve) => (request: IncomingMessage, response: ServerResponse) => {
    const { subject } = (request.socket as TLSSocket).getPeerCertificate();
    if (subject?.CN !== 'first') return serve(request, response);
    response.statusCode = 401;
    response.end();
  })(server.answer);
  expect((await client.get(ProbeKind, target, options())).metadata.name).toBe('second');
});

test('a server that does not answer is given up after the deadline, and the next call has a new connection', async () => {
  const { answer } = server;
  server.answer = () => undefined;
  writeConfig({ token: 't' });
  open();
  const call = client.get(ProbeKind, target, { ...options(), deadlineMs: 300 });
  await expect(call).rejects.toMatchObject({ name: 'KubeError', reason: 'UND_ERR_HEADERS_TIMEOUT' });
  server.answer = answer;
  await client.get(ProbeKind, target, options());
  expect(server.connections).toBe(2);
});

test('an answer that is no JSON, and a refusal that is no Status, are errors without their text', async () => {
  writeConfig({ token: 't' });
  open();
  server.answer = (_, response) => response.end('<html>canary</html>');
  await expect(client.get(ProbeKind, target, options())).rejects.toMatchObject({ reason: 'MalformedAnswer' });
  server.answer = (_, response) => response.writeHead(502).end('<html>canary</html>');
  const error = await client.get(ProbeKind, target, options()).catch((caught) => caught);
  expect(error).toMatchObject({ status: 502 });
  expect(String(error)).not.toContain('canary');
});

test('a name cannot lead out of its path, and an empty one cannot mean everything', async () => {
  let asked = '';
  server.answer = (request, response) => {
    asked = request.url ?? '';
    response.end(JSON.stringify(probe('a', '1')));
  };
  writeConfig({ token: 't' });
  open();
  await client.get(ProbeKind, { namespace: 'a/../b', name: '../../../nodes?x' }, options());
  expect(asked).toBe('/apis/test.firn.dev/v1/namespaces/a%2F..%2Fb/probes/..%2F..%2F..%2Fnodes%3Fx');
  await expect(client.delete(ProbeKind, { namespace: 'default', name: '' }, options())).rejects.toThrow(
    'not the name',
  );
});
